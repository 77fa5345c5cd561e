import { Command } from 'commander';
import type { z } from 'zod';
import { BUCKETS } from '../queries/buckets.ts';
import type { UsageResponse } from '../schemas.ts';
import { ApiClient, type ConnectionFlags, type Query } from './api-client.ts';
import { connected, keyPath } from './key-commands.ts';
import { show } from './output.ts';
import { facts, table } from './table.ts';
import { bytes, change, clock, count, duration, percent, sparkline } from './wording.ts';

type Usage = z.infer<typeof UsageResponse>;

type UsageFlags = ConnectionFlags & Query;

/** What the api says for requests whose origin nobody knows. */
const UNKNOWN_COUNTRY = 'ZZ';
/** Rows of each breakdown; the api has more. */
const ROWS = 10;

/** `keytally usage KEY`: what a key was used for, from a terminal. */
export function usageCommand(): Command {
  return connected(new Command('usage').argument('<key>').description('usage of one key, by default of 7 days'))
    .option('--from <time>', 'such as 2026-11-01 or 2026-11-01T12:00:00Z')
    .option('--to <time>')
    .option('--bucket <size>', `width of one point of the series: ${BUCKETS.join(', ')}; default: by the range`)
    .option('--timezone <name>', 'IANA name, such as Europe/Stockholm')
    .option('--method <method>', 'only these requests')
    .option('--route <route>')
    .option('--status <status>', 'such as 404 or 5xx')
    .option('--country <code>')
    .action(async (keyId: string, flags: UsageFlags) => {
      const { from, to, bucket, timezone, method, route, status, country } = flags;
      const query = { from, to, bucket, timezone, method, route, status, country };
      show(await new ApiClient(flags).get<Usage>(keyPath(keyId, '/usage'), query), flags.json, usageText);
    });
}

function usageText(usage: Usage): string {
  const filters = Object.entries(usage.filters).map(([name, value]) => `${name} ${value}`);
  const head = facts([
    ['key', usage.key_id],
    ['time', `${clock(usage.from)} to ${clock(usage.to)}`],
    ['filters', filters.join(', ')],
    ...totalsOf(usage),
  ]);
  const parts = usage.totals.requests === 0 ? [head] : [head, seriesText(usage), ...breakdowns(usage)];
  return parts.filter((part) => part !== '').join('\n');
}

function totalsOf({ totals, previous }: Usage): [string, string][] {
  const { latency_ms: latency } = totals;
  // Unknown where the period before reaches back further than what is kept.
  const before = previous?.requests ?? 0;
  const changed = change(totals.requests, before);
  const share = (number: number) => `${count(number)} (${percent(totals.requests && number / totals.requests)})`;
  const requests: [string, string] = [
    'requests',
    count(totals.requests) + (changed && ` (${changed} on the ${count(before)} before)`),
  ];
  if (totals.requests === 0) return [requests];
  return [
    requests,
    ['client errors', share(totals.client_errors)],
    ['server errors', share(totals.server_errors)],
    ['rate limited', share(totals.rate_limited)],
    ['latency', `p50 ${duration(latency.p50)}, p95 ${duration(latency.p95)}, p99 ${duration(latency.p99)}`],
    ['transferred', `${bytes(totals.request_bytes)} in, ${bytes(totals.response_bytes)} out`],
  ];
}

function seriesText({ series, bucket }: Usage): string {
  const values = series.map((point) => point.requests);
  if (values.length === 0) return '';
  return `${sparkline(values)}\nhighest ${count(Math.max(...values))} requests per ${bucket.replace('_', ' ')}\n`;
}

function breakdowns({ endpoints, countries, statuses }: Usage): string[] {
  const numbers = [
    { title: 'requests', right: true },
    { title: 'errors', right: true },
  ];
  const top = <Row>(rows: readonly Row[], cells: (row: Row) => string[]) => rows.slice(0, ROWS).map(cells);
  return [
    table(
      [{ title: 'endpoint' }, ...numbers, { title: 'p95', right: true }],
      top(endpoints, ({ method, route, requests, error_rate, latency_ms }) => [
        `${method} ${route}`,
        count(requests),
        percent(error_rate),
        duration(latency_ms.p95),
      ]),
    ),
    table(
      [{ title: 'country' }, ...numbers],
      top(countries, ({ country, requests, error_rate }) => [
        country === UNKNOWN_COUNTRY ? 'unknown' : country,
        count(requests),
        percent(error_rate),
      ]),
    ),
    table(
      [{ title: 'status' }, numbers[0]!],
      top(statuses, ({ status, requests }) => [String(status), count(requests)]),
    ),
  ];
}
