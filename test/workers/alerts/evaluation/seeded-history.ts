import type { Store } from '../../../../workers/clickhouse/store.ts';

export const HOUR_SECONDS = 3_600;
const WEEK_SECONDS = 7 * 86_400;

/** Writes buckets past the edge, as six weeks of requests would have left them. */
export class SeededHistory {
  readonly store: Store;
  /** Epoch seconds of a full hour: the present of the test. */
  readonly now: number;

  constructor(store: Store, now: number) {
    this.store = store;
    this.now = now;
  }

  /** Keys with about `mean` requests in each bucket of the last hours and of the same hours of six weeks before. */
  async keys(keyIds: readonly string[], mean: number, { hours = 4, ageDays = 60 } = {}): Promise<void> {
    const rows: object[] = [];
    for (let week = 0; week <= 6; week++) {
      for (let hour = 0; hour < hours + 3; hour++) {
        const start = this.now - (hours - hour) * HOUR_SECONDS - week * WEEK_SECONDS;
        if (week === 0 && start >= this.now) continue;
        for (const [at, keyId] of keyIds.entries())
          for (let bucket = 0; bucket < 12; bucket++)
            rows.push(row(start + bucket * 300, keyId, mean + ((bucket * 7 + at + week) % 5) - 2));
      }
    }
    await this.store.insertRows('traffic_buckets', rows);
    const since = new Date((this.now - ageDays * 86_400) * 1000).toISOString();
    await this.store.insertRows(
      'key_totals',
      keyIds.map((key_id) => ({ key_id, requests: 1, first_seen: since, tracking_since: since })),
    );
    await this.store.insertRows(
      'statuses_day',
      keyIds.flatMap((key_id) => [
        { key_id, start: day(this.now - 5 * 86_400), status: 200, requests: 10_000 },
        { key_id, start: day(this.now - 5 * 86_400), status: 500, requests: 20 },
      ]),
    );
  }

  /** One bucket after the seeded ones: `bucket` 0 begins at the present. */
  async bucket(
    bucket: number,
    counts: Readonly<Record<string, number | { requests: number; server_errors: number }>>,
  ): Promise<void> {
    const start = this.now + bucket * 300;
    const rows = Object.entries(counts).map(([keyId, one]) =>
      typeof one === 'number'
        ? row(start, keyId, one)
        : { ...row(start, keyId, one.requests), server_errors: one.server_errors },
    );
    await this.store.insertRows(
      'traffic_buckets',
      rows.filter((one) => one.requests > 0),
    );
  }

  /** End of that bucket, epoch milliseconds. */
  endOf(bucket: number): number {
    return (this.now + (bucket + 1) * 300) * 1000;
  }
}

const day = (seconds: number) => new Date((seconds - (seconds % 86_400)) * 1000).toISOString();
const row = (start: number, key_id: string, requests: number) => ({
  start: new Date(start * 1000).toISOString(),
  key_id,
  requests,
});
