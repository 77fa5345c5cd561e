import type { Store } from '../clickhouse/store.ts';
import type { Silence, SilenceMatchers } from './silence-matching.ts';

/** Silences read together at most; those that end last come first. */
const MAX_SILENCES = 5_000;

interface Row {
  organization_id: string;
  matchers: string;
  starts_ms: number;
  ends_ms: number;
}

/** Silences that are in force at some time in [fromMs, toMs]. One that cannot be read silences nothing. */
export async function readSilences(store: Store, fromMs: number, toMs: number): Promise<Silence[]> {
  const rows = await store.query<Row>(
    `SELECT organization_id, matchers, toUnixTimestamp64Milli(starts_at) AS starts_ms, toUnixTimestamp64Milli(ends_at) AS ends_ms
     FROM silences FINAL
     WHERE NOT deleted AND starts_at <= fromUnixTimestamp64Milli({to:Int64}) AND ends_at > fromUnixTimestamp64Milli({from:Int64})
     ORDER BY ends_at DESC LIMIT ${MAX_SILENCES}`,
    { from: fromMs, to: toMs },
  );
  return rows.flatMap(({ organization_id, matchers, starts_ms, ends_ms }) => {
    const parsed = parse(matchers);
    return parsed ? [{ organization_id, matchers: parsed, startsAtMs: starts_ms, endsAtMs: ends_ms }] : [];
  });
}

function parse(json: string): SilenceMatchers | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as SilenceMatchers) : undefined;
  } catch {
    return undefined;
  }
}
