/**
 * What was acknowledged, counted with no code of the product: the same cells as every rollup has, made from the
 * records that a gateway got a 202 for.
 */
export interface Sent {
  key_id: string;
  timestamp: number;
  method: string;
  route: string;
  status: number;
  latency_ms: number;
  request_bytes: number;
  response_bytes: number;
  country: string;
  service: string;
  environment: string;
  request_id: string;
}

const MINUTE_MS = 60_000;
const SPAN_MS = { minute: MINUTE_MS, quarter_hour: 15 * MINUTE_MS, day: 1_440 * MINUTE_MS } as const;
type Span = keyof typeof SPAN_MS;

/** A tier: its name, the dimensions of its cells, and what is counted in each. */
export interface Tier {
  table: string;
  span: Span;
  dimensions: (keyof Sent)[];
  sums: string[];
}

const USAGE_SUMS = [
  ...['requests', 'redirects', 'client_errors', 'server_errors', 'rate_limited'],
  ...['request_bytes', 'response_bytes'],
];
const SUMS = ['requests', 'client_errors', 'server_errors'];
const both = ['quarter_hour', 'day'] as const;

export const TIERS: Tier[] = [
  ...(['minute', ...both] as const).map((span) => tier('usage', span, ['environment', 'service'], USAGE_SUMS)),
  ...both.map((span) => tier('endpoints', span, ['method', 'route'], SUMS)),
  ...both.map((span) => tier('countries', span, ['country'], SUMS)),
  ...both.map((span) => tier('statuses', span, ['status'], SUMS)),
];

function tier(kind: string, span: Span, dimensions: (keyof Sent)[], sums: string[]): Tier {
  return { table: `${kind}_${span}`, span, dimensions, sums };
}

const COUNTS: Record<string, (sent: Sent) => number> = {
  requests: () => 1,
  redirects: ({ status }) => (status >= 300 && status < 400 ? 1 : 0),
  client_errors: ({ status }) => (status >= 400 && status < 500 ? 1 : 0),
  server_errors: ({ status }) => (status >= 500 ? 1 : 0),
  rate_limited: ({ status }) => (status === 429 ? 1 : 0),
  request_bytes: ({ request_bytes: bytes }) => bytes,
  response_bytes: ({ response_bytes: bytes }) => bytes,
};

/** Lifetime of one key. */
export interface KeyTotals {
  requests: number;
  firstMs: number;
  /** Time of the newest request. */
  lastMs: number;
}

export class Ledger {
  /** Records by their request id: `requests` must hold each exactly once. */
  readonly ids = new Set<string>();
  readonly totals = new Map<string, KeyTotals>();
  readonly #cells = new Map<string, Map<string, number[]>>(TIERS.map(({ table }) => [table, new Map()]));

  /** Notes records that were acknowledged for the first time. */
  add(records: readonly Sent[]): void {
    for (const record of records) {
      if (this.ids.has(record.request_id)) throw new Error(`the ledger has ${record.request_id} already`);
      this.ids.add(record.request_id);
      for (const tierOf of TIERS) this.#count(tierOf, record);
      const totals = this.totals.get(record.key_id) ?? { requests: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: 0 };
      totals.requests++;
      totals.firstMs = Math.min(totals.firstMs, record.timestamp);
      totals.lastMs = Math.max(totals.lastMs, record.timestamp);
      this.totals.set(record.key_id, totals);
    }
  }

  /** Cells of a tier: key, start and dimensions as one name, to its sums. */
  cells(table: string): Map<string, number[]> {
    return this.#cells.get(table)!;
  }

  #count({ table, span, dimensions, sums }: Tier, record: Sent): void {
    const startMs = record.timestamp - (record.timestamp % SPAN_MS[span]);
    const name = cellName(
      record.key_id,
      startMs / 1000,
      dimensions.map((dimension) => record[dimension]),
    );
    const cells = this.#cells.get(table)!;
    let cell = cells.get(name);
    if (!cell) cells.set(name, (cell = sums.map(() => 0)));
    for (const [at, sum] of sums.entries()) cell[at]! += COUNTS[sum]!(record);
  }
}

export function cellName(keyId: string, startSeconds: number, dimensions: readonly (string | number)[]): string {
  return [keyId, startSeconds, ...dimensions].join('|');
}
