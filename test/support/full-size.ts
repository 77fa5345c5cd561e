/**
 * How much of something a test takes: the full amount with `KEYTALLY_TEST_SIZE=full npm test`. The ordinary amount shows what the test is about; the full one is what users have, and with it all
 * tests take longer than a change should wait for (CONTRIBUTING.md).
 */
export function sized(ordinary: number, full: number): number {
  return process.env.KEYTALLY_TEST_SIZE === 'full' ? full : ordinary;
}
