import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { pureTests } from './test/support/pure-tests.ts';

/** Small files of tests that take about a minute or two: by themselves they would start last, and run on alone. */
const LONG = ['test/workers/kill.test.ts', 'test/workers/keys/kill.test.ts', 'test/workers/wedged.test.ts'];

/** A fresh clone knows no durations, and vitest then begins with the largest files. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(name));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

const PURE = pureTests(import.meta.dirname);

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: PURE,
          globalSetup: ['test/support/run-folder.ts', 'test/support/store-template.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'pure', include: PURE, isolate: false, globalSetup: 'test/support/run-folder.ts' },
      },
    ],
    sequence: { sequencer: LongFirst },
    // The embedded engine binds one data folder per process: forks, one file each, never threads.
    pool: 'forks',
    // One more than the processors of the smallest machine: every second test waits for another process most of its time.
    maxWorkers: 3,
    // How long something may take is not what these tests are about; the machine may be busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000, interval: 200 } },
    // Chromium and the engine print to standard error; only failures are of interest.
    silent: 'passed-only',
  },
});
