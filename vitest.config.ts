import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/run-folder.ts',
    // The embedded engine binds one data folder per process: forks, one file each, never threads.
    pool: 'forks',
    // One more than the processors of the smallest machine: every second test waits for another process most of its time.
    maxWorkers: 3,
    // How long something may take is not what these tests are about; the machine may be busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // Chromium and the engine print to standard error; only failures are of interest.
    silent: 'passed-only',
  },
});
