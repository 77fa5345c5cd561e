import { benchAlerts } from './alerts.ts';
import { benchBrowser } from './browser.ts';
import { benchDisk } from './disk.ts';
import { benchFormats } from './formats.ts';
import { benchIngest } from './ingest.ts';
import { benchReads } from './reads.ts';
import { benchRequestIds } from './request-ids.ts';
import { benchSdk } from './sdk.ts';
import { benchSkew } from './skew.ts';
import { benchSoak } from './soak.ts';
import { benchStages } from './stages.ts';
import { benchWaiting } from './waiting.ts';

/** `npm run bench -- <name> [--json]`: figures of one run as one JSON object, progress on standard error. */
const BENCHES: Record<string, (say: (line: string) => void, flags: readonly string[]) => Promise<object>> = {
  alerts: benchAlerts,
  ingest: benchIngest,
  reads: benchReads,
  formats: benchFormats,
  stages: benchStages,
  waiting: benchWaiting,
  disk: benchDisk,
  browser: benchBrowser,
  soak: benchSoak,
  skew: benchSkew,
  sdk: benchSdk,
  'request-ids': benchRequestIds,
};

const [name = 'ingest', ...flags] = process.argv.slice(2);
const bench = BENCHES[name];
if (!bench) {
  process.stderr.write(`no benchmark "${name}"; there are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(1);
}
// A process that a signal ends runs no exit handlers, and the parts of a bench end in theirs: one went on beside later runs.
process.once('SIGTERM', () => process.exit(143));
const result = await bench((line) => process.stderr.write(`${line}\n`), flags);
if (flags.includes('--json')) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
else {
  // What is a list was told line by line as it grew.
  const figures = Object.entries(result).filter(([, value]) => typeof value !== 'object');
  for (const [figure, value] of figures) process.stdout.write(`${figure.padEnd(48)} ${value}\n`);
}
