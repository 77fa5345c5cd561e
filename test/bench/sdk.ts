import { createSender } from '../../ingest/sender.ts';
import { median } from '../../workers/alerts/detectors/request-baseline.ts';
import { cpuOf } from './cpu-time.ts';
import { load, Part, pinHost, SLICE_ORDER, type Slice, stateOf, VARIANTS, type Variant } from './sdk-host.ts';
import { middlewareMicros } from './sdk-middleware.ts';

const RECORDS = 20_000;
const ROUNDS = 9;
const BURSTS = 9;
/** An application that only answers, and one whose requests take about a millisecond. */
const LOADS = [
  { prefix: '', path: '/users/17', seconds: 120 },
  { prefix: 'list_', path: '/orders/17', seconds: 200 },
] as const;
/** Until V8 has compiled what is asked often. */
const WARM_UP_SLICES = 2 * SLICE_ORDER.length;

/**
 * Cost of the SDK in the host: CPU time of `record()`, and throughput and CPU per request of an Express application
 * without it, with an empty middleware, with the SDK's and with the SDK told by the server, in slices of some requests of one process. The host has a
 * processor of its own, where the system allows it, which it shares with nothing but its own threads; load and receiver are
 * processes beside it.
 */
export async function benchSdk(say: (line: string) => void): Promise<Record<string, number>> {
  const pin = pinHost();
  if (pin.length === 0) say('no taskset: the host shares its processor with the load');
  const receiver = await Part.start('sdk-receiver-part.js', [], []);
  const record = await recordMicros(receiver.url);
  const middleware = await middlewareMicros();
  say(`record(): ${record} µs; middleware: ${middleware} µs`);
  const host = await Part.start('sdk-host-part.js', [receiver.url], pin);
  const figures: Record<string, number> = {};
  for (const { prefix, path, seconds } of LOADS) {
    say(`an Express application under load for ${seconds} s: ${path}`);
    const slices = await load(host, path, seconds);
    for (const [name, value] of Object.entries(figuresOf(slices.slice(WARM_UP_SLICES)))) figures[prefix + name] = value;
  }
  const burst = await burstDelayMs(host);
  const { stats } = await stateOf(host);
  for (const part of [host, receiver]) part.stop();
  if (stats.recorded !== stats.sent + stats.pending) throw new Error(`records lost: ${JSON.stringify(stats)}`);
  return {
    record_micros: record,
    middleware_micros: middleware,
    ...figures,
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

function figuresOf(slices: readonly Slice[]): Record<string, number> {
  const figures: Record<string, number> = { slices: slices.length };
  const [rates, micros] = [new Map<Variant, number>(), new Map<Variant, number>()];
  for (const variant of VARIANTS) {
    const own = slices.filter((slice) => slice.variant === variant);
    const sum = (value: (slice: Slice) => number) => own.reduce((total, slice) => total + value(slice), 0);
    const requests = sum((slice) => slice.requests);
    rates.set(variant, requests / sum((slice) => slice.seconds));
    micros.set(variant, sum((slice) => slice.cpuMicros) / requests);
    figures[`requests_per_second_${variant}`] = Math.round(rates.get(variant)!);
    figures[`cpu_micros_per_request_${variant}`] = round(micros.get(variant)!);
    figures[`loop_delay_longest_ms_median_${variant}`] = round(median(own.map((slice) => slice.longestDelayMs)));
  }
  for (const variant of ['empty', 'with', 'watching'] as const) {
    figures[`throughput_lost_percent_${variant}`] = round((1 - rates.get(variant)! / rates.get('without')!) * 100);
    figures[`throughput_lost_percent_${variant}_median_of_rounds`] = round(median(lossesOf(slices, variant)) * 100);
    figures[`cpu_added_percent_${variant}`] = round((micros.get(variant)! / micros.get('without')! - 1) * 100);
    figures[`cpu_added_micros_${variant}`] = round(micros.get(variant)! - micros.get('without')!);
  }
  return figures;
}

/** Of each round by itself, which a slow moment of the machine spoils one of. */
function lossesOf(slices: readonly Slice[], variant: Variant): number[] {
  const losses: number[] = [];
  for (let first = 0; first + SLICE_ORDER.length <= slices.length; first += SLICE_ORDER.length) {
    const ofRound = slices.slice(first, first + SLICE_ORDER.length);
    const seconds = (of: Variant) =>
      ofRound.reduce((sum, slice) => sum + (slice.variant === of ? slice.seconds / slice.requests : 0), 0);
    losses.push(1 - seconds('without') / seconds(variant));
  }
  return losses;
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
