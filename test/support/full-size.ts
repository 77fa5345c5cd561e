/** Whether the tests are to run with full amounts: `KEYTALLY_TEST_SIZE=full npm test`. */
export const FULL_SIZE = process.env.KEYTALLY_TEST_SIZE === 'full';

/**
 * How much of something a test takes. The ordinary amount shows what the test is about; the full one is what users have, and with it all
 * tests take longer than a change should wait for (CONTRIBUTING.md).
 */
export function sized(ordinary: number, full: number): number {
  return FULL_SIZE ? full : ordinary;
}
