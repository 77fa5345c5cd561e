import { parseArgs } from 'node:util';
import { type ChaosResult, runChaos } from './run.ts';

/**
 * `npm run chaos -- --kills N --seed S`: kills and faults under load, then every count against an independent ledger.
 * Ends with 1 when a single one differs. `--seeds 10` runs ten seeds from S on, N kills altogether.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    fsync: { type: 'string', default: 'always' },
    'store-down-ms': { type: 'string', default: '60000' },
    'small-disk': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const [kills, seed, seeds, storeDownMs] = [values.kills, values.seed, values.seeds, values['store-down-ms']].map(
  Number,
);
if (![kills, seed, seeds, storeDownMs].every(Number.isSafeInteger) || kills! < 1 || seeds! < 1 || storeDownMs! < 500) {
  fail('--kills, --seed, --seeds and --store-down-ms are whole numbers (an outage has at least 500 ms)');
}
const fsync: 'always' | 'everysec' =
  values.fsync === 'always' || values.fsync === 'everysec' ? values.fsync : fail('--fsync: always or everysec');

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const results: ChaosResult[] = [];
const broken: number[] = [];
for (let n = 0; n < seeds!; n++) {
  const share = Math.floor(kills! / seeds!) + (n < kills! % seeds! ? 1 : 0);
  if (share === 0) continue;
  say(`seed ${seed! + n}: ${share} kills`);
  const options = {
    kills: share,
    seed: seed! + n,
    fsync,
    storeDownMs: storeDownMs!,
    smallDisk: values['small-disk'],
    untilEnded: true,
  };
  const result = await runChaos({ ...options, say }).catch((error: unknown) => {
    // A seed that could not be finished has failed; the others still tell.
    say(`seed ${seed! + n} broke off: ${(error as Error).stack}`);
    broken.push(seed! + n);
  });
  if (!result?.clean) process.exitCode = 1;
  if (!result) continue;
  results.push(result);
  if (!values.json) process.stdout.write(`${textOf(result)}\n`);
}
const total = (count: (result: ChaosResult) => number) => results.reduce((sum, result) => sum + count(result), 0);
const summary = {
  seeds: results.length,
  kills: total((result) => result.kills),
  faults: total((result) => Object.values(result.faults).reduce((sum, count) => sum + count, 0)),
  acknowledged: total((result) => result.acknowledged),
  cells: total((result) => Object.values(result.tiers).reduce((sum, { cells }) => sum + cells, 0)),
  wrong_cells: total((result) => Object.values(result.tiers).reduce((sum, { wrong }) => sum + wrong, 0)),
  lost: total((result) => result.lost),
  twice: total((result) => result.twice),
  never_acknowledged: total((result) => result.strangers),
  dead_letters: total((result) => result.deadLetters),
  key_changes: total((result) => result.keyChanges),
  keys_wrong: total((result) => result.keysWrong.length),
  notifications: total((result) => result.alerts.expected),
  notifications_wrong: total((result) => result.alerts.wrong.length),
  notification_repeats: total((result) => result.alertRepeats),
  alert_steps: total((result) => result.alerts.steps),
  unasked_exits: total((result) => result.unaskedExits.length),
  failed_seeds: [...results.filter(({ clean }) => !clean).map((result) => result.seed), ...broken],
  fsync,
  store_down_ms: storeDownMs,
};
if (values.json) process.stdout.write(`${JSON.stringify({ ...summary, results }, null, 2)}\n`);
else
  process.stdout.write(
    `\n${Object.entries(summary)
      .map(([name, value]) => `${name.padEnd(20)} ${value}\n`)
      .join('')}`,
  );
for (const bad of summary.failed_seeds) {
  say(
    `again: npm run chaos -- --kills ${results.find((result) => result.seed === bad)?.kills ?? Math.ceil(kills! / seeds!)} --seed ${bad}`,
  );
}
process.exit(process.exitCode ?? 0);

function textOf(result: ChaosResult): string {
  const { seed: of, clean, kills: killed, posts, failedPosts, repeatedPosts, acknowledged, lost, twice } = result;
  const faults = Object.entries(result.faults).map(([kind, count]) => `${kind} ${count}`);
  const wrong = Object.values(result.tiers).reduce((sum, tier) => sum + tier.wrong, 0);
  const cells = Object.values(result.tiers).reduce((sum, tier) => sum + tier.cells, 0);
  return [
    `seed ${of}: ${clean ? 'equal' : 'DIFFERENT'}; ${killed} kills (${faults.join(', ')}) in ${result.seconds} s`,
    `  ${posts} POSTs, ${failedPosts} failed, ${repeatedPosts} sent again on purpose, ${result.cutAfterCommit} answers cut after the commit`,
    `  ${acknowledged} records acknowledged: ${lost} lost, ${twice} twice, ${result.strangers} never acknowledged, ${result.deadLetters} dead letters`,
    `  ${cells} cells in ${Object.keys(result.tiers).length} tables compared, ${wrong} wrong; ${result.keyChanges} key changes, ${result.keysWrong.length} keys wrong`,
    `  ${result.alerts.expected} notifications expected, ${result.alerts.wrong.length} wrong; ${result.alerts.steps} steps of alerts, ${result.alerts.ended} ends; ${result.alertRequests} requests, ${result.alertRepeats} repeats; all told after ${result.toldInSeconds} s`,
    `  settled ${result.drained ? `after ${result.drainedInSeconds} s` : 'NEVER'}; ${result.unaskedExits.length} exits that no fault asked for`,
    ...result.unaskedExits.map((exit) => `    ${exit}`),
    ...[...result.examples, ...result.refused.slice(0, 5), ...result.alerts.wrong.slice(0, 12)].map(
      (example) => `  ! ${example}`,
    ),
    ...(result.folder ? [`  logs: ${result.folder}`] : []),
  ].join('\n');
}
