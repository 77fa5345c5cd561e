import { parseArgs } from 'node:util';
import { Coverage } from './coverage.ts';
import { fuzzTarget, isOurs, keepCorpus, type TargetResult } from './engine.ts';
import { fuzzHttp } from './http-edge.ts';
import { allTargets } from './targets.ts';
import { Watchdog } from './watchdog.ts';

/**
 * `npm run fuzz -- --inputs 1000000 --seed 1 [--keep] [--target name] [--json]`: seeded, coverage-guided. Every parser gets
 * its share; the HTTP edge, which is a real server with real stores, a fiftieth. Ends with 1 after any failure.
 */
const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', default: '' },
    input: { type: 'string' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const HTTP_SHARE = 50;

const inputs = Number(values.inputs);
const seed = Number(values.seed);
if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--inputs and --seed are whole numbers\n');
  process.exit(2);
}
const targets = (await allTargets()).filter(({ name }) => name.includes(values.target));
if (values.input !== undefined) {
  for (const target of targets) await target.run(Buffer.from(values.input, 'base64'));
  process.exit(0);
}
const say = (line: string) => process.stderr.write(`${line}\n`);
const watchdog = new Watchdog();
const coverage = new Coverage(isOurs);
await coverage.start();
const results: TargetResult[] = [];
const httpInputs = values.target === '' || 'http edge'.includes(values.target) ? Math.ceil(inputs / HTTP_SHARE) : 0;
for (const target of targets) {
  const share = Math.ceil((inputs - httpInputs) / targets.length);
  const { result, corpus } = await fuzzTarget(target, { inputs: share, seed, watchdog, coverage });
  results.push(result);
  if (values.keep) keepCorpus(target, corpus);
  say(lineOf(result));
}
await coverage.stop();
await watchdog.stop();
if (httpInputs > 0) {
  const result = await fuzzHttp(httpInputs, seed);
  results.push(result);
  say(lineOf(result));
}
const failures = results.flatMap(({ target, failures: of }) => of.map((failure) => ({ target, ...failure })));
const summary = {
  seed,
  inputs: results.reduce((sum, result) => sum + result.inputs, 0),
  targets: results.length,
  blocks_reached: coverage.blocks,
  corpus: results.reduce((sum, result) => sum + result.corpus, 0),
  slowest_input_ms: Math.round(Math.max(...results.map(({ slowestMs }) => slowestMs))),
  blocked: 0,
  failures: failures.length,
};
if (values.json) process.stdout.write(`${JSON.stringify({ ...summary, results }, null, 2)}\n`);
else
  process.stdout.write(
    Object.entries(summary)
      .map(([name, value]) => `${name.padEnd(20)} ${value}\n`)
      .join(''),
  );
for (const { target, input, error } of failures) {
  say(`FAILED ${target}: ${error}\n  again: npm run fuzz -- --target '${target}' --input ${input.slice(0, 4_000)}`);
}
process.exit(failures.length === 0 ? 0 : 1);

function lineOf({ target, inputs: tried, found, corpus, slowestMs, failures: of }: TargetResult): string {
  return `${target.padEnd(44)} ${tried} inputs, ${found} times new blocks, corpus ${corpus}, slowest ${slowestMs.toFixed(1)} ms, ${of.length} failures`;
}
