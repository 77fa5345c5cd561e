import type { Store } from '../../clickhouse/store.ts';
import { HOUR_SECONDS } from '../evaluation/baselines.ts';
import { countryMix } from '../evaluation/country-mix.ts';
import { errorRate } from '../evaluation/error-rate.ts';
import type { KeyHistory } from '../evaluation/key-history.ts';
import type { KindEvaluation } from '../evaluation/kind.ts';
import { latency } from '../evaluation/latency.ts';
import { newCountry } from '../evaluation/new-country.ts';
import { trafficAnomaly } from '../evaluation/traffic-anomaly.ts';
import { QUARTER_SECONDS, readMixPasts, readNewCountryPasts } from './country-past.ts';
import { readLatencyPasts } from './latency-past.ts';
import { BUCKET_SECONDS, type KeyPast, type ScopedKey, type Span } from './replay.ts';
import { ERROR_SCOPES } from './settings.ts';
import { readTrafficPasts } from './traffic-past.ts';

/** A kind whose past can be judged again, and from what. */
export interface PastKind {
  kind: KindEvaluation;
  /** Windows are judged again at multiples of this. */
  stepSeconds: number;
  /** What its windows are read from: how long that is kept is how far back it can be judged. */
  table: string;
  /** Cheap: false where its judgement could not be a breach. */
  mayBreach?: (history: KeyHistory) => boolean;
  read: (store: Store, keys: readonly ScopedKey[], span: Span) => Promise<KeyPast[]>;
}

export const PAST_KINDS: readonly PastKind[] = [
  {
    kind: errorRate,
    stepSeconds: BUCKET_SECONDS,
    table: 'traffic_buckets',
    mayBreach: ({ buckets }) => buckets.some((one) => ERROR_SCOPES.some((scope) => one[scope] > 0)),
    read: readTrafficPasts,
  },
  { kind: trafficAnomaly, stepSeconds: BUCKET_SECONDS, table: 'traffic_buckets', read: readTrafficPasts },
  { kind: latency, stepSeconds: BUCKET_SECONDS, table: 'usage_minute', read: readLatencyPasts },
  { kind: newCountry, stepSeconds: QUARTER_SECONDS, table: 'countries_quarter_hour', read: readNewCountryPasts },
  { kind: countryMix, stepSeconds: HOUR_SECONDS, table: 'countries_quarter_hour', read: readMixPasts },
];
