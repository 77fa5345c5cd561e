import type { Logger } from '../../../ingest/logger.ts';
import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvent } from '../alert.ts';
import { Channels } from '../delivery/channels.ts';
import type { LimitParts } from '../limits/look.ts';
import { handOver } from '../outbox.ts';
import { RuleBook } from '../rules/rule.ts';
import { Rules } from '../rules/rule-store.ts';
import { readSilences } from '../silence-reader.ts';
import { ensureBaselines } from './baselines.ts';
import { countryMix } from './country-mix.ts';
import { errorRate } from './error-rate.ts';
import { evaluateKinds, type WindowInput } from './evaluate-window.ts';
import { loadStates, STATE_LOOK_BACK_MS, toldLately, writeAlertEvents } from './event-store.ts';
import { hoursOf } from './key-history.ts';
import type { KindEvaluation } from './kind.ts';
import { latency } from './latency.ts';
import { evaluationSeconds, eventsWritten, judgedUntil, windowsSkipped } from './metrics.ts';
import { NONE_MISSING, readMissingBuckets } from './missing-reports.ts';
import { newCountry } from './new-country.ts';
import { platformSilence, readPlatformTraffic } from './platform-silence.ts';
import { Progress, storeNowMs, writeProgress } from './progress.ts';
import { BUCKET_MS, settledUntil } from './settled.ts';
import { trafficAnomaly } from './traffic-anomaly.ts';

/** Missed windows that are judged after an interruption: half a day. Older ones are skipped and counted. */
const MAX_CATCH_UP_WINDOWS = 144;
/** Events of this time before now are handed over again at each evaluation: a crash may have come in between. */
const HAND_OVER_AGAIN_MS = 20 * 60_000;
const HAND_OVER_AGAIN_MAX = 5_000;

export const KINDS: readonly KindEvaluation[] = [errorRate, trafficAnomaly, latency, newCountry, countryMix];

export interface EvaluationParts extends LimitParts {
  log: Logger;
  /** When the oldest batch was received that is not yet counted; undefined = none waits. */
  oldestWaitingMs: () => Promise<number | undefined>;
  /** How long after its end a bucket is waited for. */
  settleMs: number;
}

export interface EvaluationResult {
  windows: number;
  events: number;
  told: number;
}

/**
 * Judges every settled window that was not judged yet, oldest first. A repeat finds nothing left to do.
 * @param slotMs time as of which it judges, by the clock of the process that ticked
 */
export async function evaluate(parts: EvaluationParts, slotMs: number): Promise<EvaluationResult> {
  const { store, delivery } = parts;
  await handOver(
    delivery,
    (await toldLately(store, Date.now() - HAND_OVER_AGAIN_MS, HAND_OVER_AGAIN_MAX)) as AlertEvent[],
  );
  const presentMs = await storeNowMs(store);
  // Windows that a clock which is ahead takes for over would be judged as silence, for good.
  const nowMs = Math.min(slotMs, presentMs);
  const until = settledUntil(nowMs, await parts.oldestWaitingMs(), parts.settleMs);
  const windows = windowsBetween(await judgedBefore(store, until, presentMs), until);
  const result: EvaluationResult = { windows: windows.length, events: 0, told: 0 };
  for (const atMs of windows) {
    const events = await judgeWindow(parts, atMs, nowMs, atMs < until);
    result.events += events.length;
    result.told += events.filter((event) => event.notify !== '').length;
  }
  return result;
}

/** End of the newest window that was judged. One that is still to come is taken back: it was judged by a clock that was ahead. */
async function judgedBefore(store: Store, untilMs: number, presentMs: number): Promise<number> {
  const progress = await Progress.read(store);
  const judged = progress.of('buckets') ?? untilMs - BUCKET_MS;
  const newest = settledUntil(presentMs, undefined, 0);
  if (judged <= newest) return judged;
  await progress.write('buckets', newest);
  return newest;
}

/** Ends of the windows in (judged, until], the newest ones where there are too many. */
function windowsBetween(judgedMs: number, untilMs: number): number[] {
  const count = Math.max(0, Math.round((untilMs - judgedMs) / BUCKET_MS));
  const kept = Math.min(count, MAX_CATCH_UP_WINDOWS);
  if (count > kept) windowsSkipped.inc(count - kept);
  return Array.from({ length: kept }, (_, n) => untilMs - (kept - 1 - n) * BUCKET_MS);
}

/** Judges one window: one insert holds all its steps, then they are handed over, then the window counts as judged. */
export async function judgeWindow(
  parts: EvaluationParts,
  atMs: number,
  judgedAtMs: number,
  late: boolean,
): Promise<AlertEvent[]> {
  const { store } = parts;
  const from = atMs / 1000 - 36 * 300;
  const stopBaselines = evaluationSeconds.startTimer({ part: 'baselines' });
  await ensureBaselines(store, hoursOf(from, atMs / 1000));
  stopBaselines();
  const stop = evaluationSeconds.startTimer({ part: 'window' });
  const traffic = await readPlatformTraffic(store, atMs);
  const [rules, channels, silences, known] = await Promise.all([
    new Rules(store).list(),
    new Channels(store).list(),
    readSilences(store, Math.min(atMs, judgedAtMs), Math.max(atMs, judgedAtMs)),
    loadStates(store, [...KINDS.map((kind) => kind.kind), 'platform'], atMs - STATE_LOOK_BACK_MS),
  ]);
  const input: WindowInput = {
    store,
    book: new RuleBook(rules),
    silences,
    channels,
    known,
    context: { atMs, windowMs: BUCKET_MS, recordedAt: new Date().toISOString(), late },
    judgedAtMs,
    activeKeys: traffic.activeKeys,
    missing: traffic.requests > 0 ? await readMissingBuckets(store, atMs) : NONE_MISSING,
  };
  const events = platformSilence(input, traffic);
  // Nothing at all from anybody says that reports are missing, not that every key fell silent: all states stay as they are.
  if (traffic.requests > 0) events.push(...(await evaluateKinds(KINDS, input)));
  await parts.confirm?.();
  await writeAlertEvents(store, events);
  await handOver(parts.delivery, events);
  await writeProgress(store, 'buckets', atMs);
  stop();
  judgedUntil.set(atMs / 1000);
  for (const event of events) eventsWritten.inc({ notify: event.notify || 'nobody' });
  return events;
}
