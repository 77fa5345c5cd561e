import { createSender } from '../../ingest/sender.ts';
import { cpuOf } from './cpu-time.ts';
import { load, Part, pinHost, stateOf, type Turn } from './sdk-host.ts';
import { middlewareMicros } from './sdk-middleware.ts';

const RECORDS = 20_000;
const ROUNDS = 9;
const BURSTS = 9;
const TURNS = 7;
const SECONDS = 2;
/** Until V8 has compiled what is asked often. */
const WARM_UP_REQUESTS = 10_000;
/** Longer than a record waits. */
const SETTLE_MS = 1_200;

/** `empty` is an Express middleware that does nothing: what no SDK can fall below. */
const VARIANTS = ['without', 'empty', 'with'] as const;
type Variant = (typeof VARIANTS)[number];

/**
 * Cost of the SDK in the host: CPU time of `record()`, and throughput and CPU per request of an Express application
 * without it, with an empty middleware and with the SDK's. The host has a processor of its own, where the system
 * allows it, which it shares with nothing but its own threads; load and receiver are processes beside it.
 */
export async function benchSdk(say: (line: string) => void): Promise<Record<string, number>> {
  const pin = pinHost();
  if (pin.length === 0) say('no taskset: the host shares its processor with the load');
  const receiver = await Part.start('sdk-receiver-part.js', [], []);
  const record = await recordMicros(receiver.url);
  const middleware = await middlewareMicros();
  say(`record(): ${record} µs; middleware: ${middleware} µs`);
  const start = (url: string) => Part.start('sdk-host-part.js', [url], pin);
  const hosts = { without: await start('none'), empty: await start('empty'), with: await start(receiver.url) };
  const turns = await loadInTurns(hosts, say);
  const burst = await burstDelayMs(hosts.with);
  const { stats } = await stateOf(hosts.with);
  if (stats!.recorded !== stats!.sent) throw new Error(`records lost: ${JSON.stringify(stats)}`);
  for (const part of [...Object.values(hosts), receiver]) part.stop();
  return {
    record_micros: record,
    middleware_micros: middleware,
    ...figuresOf(turns),
    loop_delay_longest_ms_least_burst: round(burst),
  };
}

/** Longest turn of the host's event loop while it records bursts; least of several: what others disturb only adds. */
async function burstDelayMs(host: Part): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let burst = 0; burst < BURSTS; burst++) {
    await stateOf(host);
    await fetch(`${host.url}/burst`);
    least = Math.min(least, (await stateOf(host)).longestDelayMs);
  }
  return least;
}

/** In turns, and not always in the same order, so that all have the same share of what else the machine does. */
async function loadInTurns(
  hosts: Record<Variant, Part>,
  say: (line: string) => void,
): Promise<Record<Variant, Turn[]>> {
  const turns: Record<Variant, Turn[]> = { without: [], empty: [], with: [] };
  for (const variant of VARIANTS) await load(hosts[variant], { amount: WARM_UP_REQUESTS }, 0);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const variant of turn % 2 === 0 ? VARIANTS : [...VARIANTS].reverse()) {
      turns[variant].push(await load(hosts[variant], { duration: SECONDS }, SETTLE_MS));
    }
    say(
      VARIANTS.map((variant) => {
        const { rate, micros } = turns[variant].at(-1)!;
        return `${variant} ${Math.round(rate)}/s ${micros.toFixed(1)} µs`;
      }).join(', '),
    );
  }
  return turns;
}

function figuresOf(turns: Record<Variant, Turn[]>): Record<string, number> {
  const figures: Record<string, number> = {};
  const [rates, micros] = [valuesOf(turns, 'rate'), valuesOf(turns, 'micros')];
  for (const variant of VARIANTS) {
    figures[`requests_per_second_best_${variant}`] = Math.round(rates[variant].at(-1)!);
    figures[`requests_per_second_median_${variant}`] = Math.round(median(rates[variant]));
    figures[`cpu_micros_per_request_least_${variant}`] = round(micros[variant][0]!);
    figures[`cpu_micros_per_request_median_${variant}`] = round(median(micros[variant]));
    figures[`loop_delay_longest_ms_least_${variant}`] = round(
      Math.min(...turns[variant].map((turn) => turn.longestDelayMs)),
    );
  }
  const lost = (base: number, value: number) => round((1 - value / base) * 100);
  figures.throughput_lost_percent_best = lost(rates.without.at(-1)!, rates.with.at(-1)!);
  figures.throughput_lost_percent_median = lost(median(rates.without), median(rates.with));
  figures.cpu_added_percent_least = -lost(micros.without[0]!, micros.with[0]!);
  figures.cpu_added_percent_median = -lost(median(micros.without), median(micros.with));
  return figures;
}

/** Of each variant, from the least to the greatest. */
function valuesOf(turns: Record<Variant, Turn[]>, name: 'rate' | 'micros'): Record<Variant, number[]> {
  const sorted = (variant: Variant) => turns[variant].map((turn) => turn[name]).sort((a, b) => a - b);
  return { without: sorted('without'), empty: sorted('empty'), with: sorted('with') };
}

function median(sorted: readonly number[]): number {
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

/** Least of several rounds; what is done later, in the background, is not in it. */
async function recordMicros(url: string): Promise<number> {
  const example = {
    key_id: 'key_1',
    method: 'GET',
    path: '/v1/things/17',
    route: '/v1/things/{id}',
    status: 200,
    latency_ms: 3.2,
  };
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < ROUNDS; turn++) {
    const sender = createSender({ url, token: 'kt_x', maxRecords: RECORDS * 2 });
    const micros = await cpuOf(() => {
      for (let n = 0; n < RECORDS; n++) sender.record({ ...example });
    });
    least = Math.min(least, micros / RECORDS);
    await sender.close();
  }
  return Number(least.toFixed(3));
}
