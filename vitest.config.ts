import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/run-folder.ts',
    // The embedded engine binds one data folder per process: forks, one file each, never threads.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // How long something may take is not what these tests are about; the machine may be busy.
    expect: { poll: { timeout: 15_000 } },
    // Chromium and the engine print to standard error; only failures are of interest.
    silent: 'passed-only',
  },
});
