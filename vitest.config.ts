import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { sharedProcesses } from './test/support/shared-processes.ts';

/** Small files of tests that take about a minute or two: by themselves they would start last, and run on alone. */
const LONG = [
  'test/workers/kill.test.ts',
  'test/workers/keys/kill.test.ts',
  'test/workers/wedged.test.ts',
  'test/chaos/chaos.test.ts',
  'test/api/injection.test.ts',
  'test/e2e/every-page.test.ts',
  'test/workers/alerts/evaluation/kinds.test.ts',
];
/** The short ones last: they fill what the long ones leave. */
const ORDER = ['apart', 'stacks', 'pure'];

/** A fresh clone knows no durations, and vitest then begins with the largest files of each project. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(name));
    const groupOf = (file: TestSpecification) => 2 * ORDER.indexOf(file.project.name) + (isLong(file) ? 0 : 1);
    const sorted = await super.sort(files);
    return [...sorted].sort((a, b) => groupOf(a) - groupOf(b));
  }
}

const { pure, stacks } = sharedProcesses(import.meta.dirname);
const GLOBAL_SETUP = ['test/support/run-folder.ts', 'test/support/store-template.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: [...pure, ...stacks],
          globalSetup: GLOBAL_SETUP,
        },
      },
      { extends: true, test: { name: 'stacks', include: stacks, isolate: false, globalSetup: GLOBAL_SETUP } },
      {
        extends: true,
        test: { name: 'pure', include: pure, isolate: false, globalSetup: 'test/support/run-folder.ts' },
      },
    ],
    sequence: { sequencer: LongFirst },
    // The embedded engine holds one data folder per process at a time: forks, never threads.
    pool: 'forks',
    // One more than the processors of the smallest machine: every second test waits for another process most of its time.
    maxWorkers: 3,
    // How long something may take is not what these tests are about; the machine may be busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 200 } },
    // Chromium and the engine print to standard error; only failures are of interest.
    silent: 'passed-only',
  },
});
