import type { Store } from '../../clickhouse/store.ts';
import { type AlertEvent, alertKeyOf } from '../alert.ts';
import { silencedUntil } from '../silence-matching.ts';
import { isOpen, type Level } from '../state.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';
import type { WindowInput } from './evaluate-window.ts';
import { noFacts } from './key-facts.ts';
import { eventOfStep } from './steps.ts';
import { countText, spanText } from './wording.ts';

const BUCKET_SECONDS = 300;
const LOOK_BACK_BUCKETS = 12;
/** Nothing from anybody for a quarter of an hour, where at least this many requests were expected. */
export const NEEDED_BUCKETS = 3;
const NEEDED_REQUESTS = 50;

/** Traffic of all keys together up to a window's end. */
export interface PlatformTraffic {
  /** In the window itself. */
  requests: number;
  /** Keys with traffic in the last hour. */
  activeKeys: number;
  /** Buckets without any request, counted back from the window's end, an hour at most. */
  emptyBuckets: number;
  /** Requests all baselines together expect of one bucket. */
  expectedPerBucket: number;
}

export async function readPlatformTraffic(store: Store, atMs: number): Promise<PlatformTraffic> {
  const to = atMs / 1000;
  const [traffic] = await store.query<{ requests: number; active: number; newest: number }>(
    `SELECT sumIf(b.requests, start >= toDateTime({to:UInt32} - ${BUCKET_SECONDS}, 'UTC')) AS requests, uniq(key_hash) AS active,
            toUnixTimestamp(max(start)) AS newest
     FROM traffic_buckets AS b
     WHERE start >= toDateTime({to:UInt32} - ${LOOK_BACK_BUCKETS * BUCKET_SECONDS}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')`,
    { to },
    EVALUATION_SETTINGS,
  );
  const { requests, active, newest } = traffic!;
  if (requests > 0) return { requests, activeKeys: active, emptyBuckets: 0, expectedPerBucket: 0 };
  const hour = to - BUCKET_SECONDS - ((to - BUCKET_SECONDS) % 3_600);
  const [expected] = await store.query<{ expected: number }>(
    `SELECT sum(mean * growth) AS expected FROM alert_baselines FINAL WHERE hour = toDateTime({hour:UInt32}, 'UTC') AND rung != 'caps only'`,
    { hour },
    EVALUATION_SETTINGS,
  );
  const emptyBuckets = newest === 0 ? LOOK_BACK_BUCKETS : Math.round((to - newest) / BUCKET_SECONDS) - 1;
  return { requests, activeKeys: active, emptyBuckets, expectedPerBucket: expected!.expected };
}

/** Pure: whether reports of everybody are missing. */
function platformSilenceLevel({ requests, emptyBuckets, expectedPerBucket }: PlatformTraffic): Level {
  if (requests > 0) return 'clear';
  return isMissing(emptyBuckets, emptyBuckets * expectedPerBucket) ? 'breach' : 'hold';
}

/** Whether a run of buckets without any request says that reports are missing. */
export const isMissing = (emptyBuckets: number, expectedRequests: number): boolean =>
  emptyBuckets >= NEEDED_BUCKETS && expectedRequests >= NEEDED_REQUESTS;

/** Step of the alert that nobody reports anything: more likely a broken path of reports than a world without requests. */
export function platformSilence(input: WindowInput, traffic: PlatformTraffic): AlertEvent[] {
  const known = input.known.get(alertKeyOf('platform', '', 'silence'));
  const level = platformSilenceLevel(traffic);
  if (level !== 'breach' && !(known && isOpen(known.state.phase))) return [];
  const facts = noFacts('');
  const minutes = (traffic.emptyBuckets * BUCKET_SECONDS) / 60;
  const expected = traffic.emptyBuckets * traffic.expectedPerBucket;
  const event = eventOfStep(
    known,
    {
      kind: 'platform',
      scope: 'silence',
      keyId: '',
      level,
      severity: 'critical',
      describe: () => ({
        summary:
          level === 'clear'
            ? 'Requests are reported again.'
            : `No request was reported by anybody for ${spanText(minutes)}; about ${countText(expected)} were expected. Check the path from the gateways first. Alerts of single keys wait meanwhile.`,
        value: traffic.requests,
        expected,
        unit: 'requests',
        windowMinutes: minutes,
        direction: 'silence',
      }),
    },
    input.context,
    {
      facts,
      effective: input.book.for('platform', facts),
      silencedUntilMs: silencedUntil({ ...facts, kind: 'platform' }, input.silences, input.judgedAtMs),
      inhibitedBy: undefined,
    },
  );
  return event ? [event] : [];
}
