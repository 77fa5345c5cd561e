/** Traffic with the shapes real keys have: days and nights, weekends, an incident, a long tail of countries. */
import { DateTime } from 'luxon';

const DAY = 86_400_000;

function random(seed) {
  let state = [...String(seed)].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const HOSTILE = `<script>alert("x")</script> \u202Egnp.tnalp\u202C ${'long '.repeat(800)}`;
const NAMED = [
  ['key_checkout', 'Checkout service', 'acme', 'production', 'active', 5200, { per_minute: 1000, per_day: 5_000_000 }],
  ['key_mobile', 'Mobile app, iOS and Android', 'acme', 'production', 'active', 3100, { per_day: 100_000 }],
  ['key_partner', 'Partner feed', 'globex', 'production', 'expired', 900, null],
  ['key_quiet', 'Nightly export', 'globex', 'staging', 'active', 3, { per_month: 50_000 }],
  ['key_broken', 'Store is down for this one', 'initech', 'development', 'active', 40, null],
  ['key_hostile', HOSTILE, '\u202Eevil\u202C <b>org</b>', 'production', 'active', 77, null],
  ['key_new', 'Registered, never used', 'acme', 'development', 'active', 0, null],
];

function makeKeys() {
  const next = random('keys');
  const others = Array.from({ length: 120 }, (_, index) => [
    `key_${(0x10000 + Math.floor(next() * 1e9)).toString(36)}${index}`,
    next() < 0.3 ? null : ['Billing', 'Search', 'Webhooks', 'Reports', 'Zapier', 'Backoffice'][index % 6] + ` ${index}`,
    ['acme', 'globex', 'initech', 'umbrella'][index % 4],
    ['production', 'staging', 'development'][index % 3],
    ['active', 'active', 'active', 'discovered', 'inactive'][index % 5],
    Math.floor(10 ** (next() * 3)),
    null,
  ]);
  return [...NAMED, ...others].map((row) => makeKey(row, next));
}

function makeKey([key_id, name, organization_id, environment, status, perHour, limits], next) {
  const now = Date.now();
  const age = perHour < 5 ? 9 * 3_600_000 : next() * 4_000_000;
  const used = {
    at: new Date(now - age).toISOString(),
    country: 'SE',
    method: 'POST',
    route: '/v2/orders/{id}/lines',
    status: 201,
  };
  const utilization = limits && Object.fromEntries(Object.keys(limits).map((limit) => [limit, next() * 1.1]));
  return {
    perHour,
    key_id,
    name,
    organization_id,
    customer_id: null,
    status,
    environment,
    prefix: `kt_${key_id.slice(4, 8)}`,
    created_at: new Date(now - 200 * DAY).toISOString(),
    expires_at:
      status === 'expired'
        ? new Date(now - 2 * DAY).toISOString()
        : key_id === 'key_mobile'
          ? new Date(now + 9 * DAY).toISOString()
          : null,
    tracking_since: perHour ? new Date(now - 190 * DAY).toISOString() : null,
    last_used: perHour ? used : null,
    total_requests: perHour * 24 * 190,
    requests_30d: perHour * 24 * 30,
    error_rate_30d: perHour ? next() ** 4 * 0.2 : null,
    limits,
    utilization,
  };
}

const KEYS = makeKeys();

export function keyDetails(id) {
  return KEYS.find((key) => key.key_id === id);
}

export function keyList(query, { empty = false } = {}) {
  const search = query.get('search')?.toLowerCase() ?? '';
  const sort = query.get('sort') ?? '-requests_30d';
  const field = sort.replace('-', '');
  const value = (key) => (field === 'last_used' ? (key.last_used?.at ?? '') : key[field]);
  const found = empty
    ? []
    : KEYS.filter((key) => `${key.key_id} ${key.name}`.toLowerCase().includes(search))
        .filter((key) =>
          ['status', 'environment', 'organization_id'].every(
            (name) => !query.get(name) || key[name] === query.get(name),
          ),
        )
        .sort((a, b) => (value(a) < value(b) ? -1 : 1) * (sort.startsWith('-') ? -1 : 1));
  const start = Number(query.get('cursor') ?? 0);
  const limit = Number(query.get('limit') ?? 50);
  return {
    data: found.slice(start, start + limit),
    next_cursor: start + limit < found.length ? String(start + limit) : null,
  };
}

function bucketFor(length) {
  if (length > 14.5 * DAY) return 'day';
  if (length > DAY * 1.05) return 'hour';
  return length > DAY / 4 ? 'quarter_hour' : 'minute';
}

const STEPS = {
  minute: { minutes: 1 },
  quarter_hour: { minutes: 15 },
  hour: { hours: 1 },
  day: { days: 1 },
  week: { weeks: 1 },
  month: { months: 1 },
};

function point(key, start, end, next) {
  const hours = (Math.min(end, Date.now()) - start) / 3_600_000;
  const local = new Date(start);
  const daily = hours > 12 ? 1 : 1 + 0.75 * Math.sin(((local.getUTCHours() - 8) / 24) * 2 * Math.PI);
  const weekend = [0, 6].includes(local.getUTCDay()) ? 0.45 : 1;
  const requests = Math.max(0, Math.round(key.perHour * hours * daily * weekend * (0.85 + 0.3 * next())));
  const daysAgo = (Date.now() - start) / DAY;
  const incident = daysAgo > 1.5 && daysAgo < 1.75 ? 0.22 : 0.002;
  const server_errors = Math.round(requests * incident * next());
  const client_errors = Math.round(requests * (0.01 + 0.03 * next()));
  const slow = 1 + incident * 8;
  return {
    start: new Date(start).toISOString(),
    requests,
    redirects: Math.round(requests * 0.06 * next()),
    client_errors,
    server_errors,
    rate_limited: Math.round(client_errors / 9),
    latency_ms:
      requests && key.key_id !== 'key_partner'
        ? { p50: (30 + 9 * next()) * slow, p95: (110 + 40 * next()) * slow, p99: (260 + 190 * next()) * slow }
        : { p50: null, p95: null, p99: null },
  };
}

function totalsOf(series, scale = 1) {
  const sum = (field) => Math.round(series.reduce((total, row) => total + row[field], 0) * scale);
  const [requests, client_errors, server_errors] = ['requests', 'client_errors', 'server_errors'].map(sum);
  const known = series.some((row) => row.latency_ms.p50 !== null);
  return {
    requests,
    client_errors,
    server_errors,
    error_rate: requests ? (client_errors + server_errors) / requests : 0,
    rate_limited: sum('rate_limited'),
    latency_ms: known ? { p50: 34.2, p95: 131.6 * scale, p99: 402.9 } : { p50: null, p95: null, p99: null },
    request_bytes: requests * 700,
    response_bytes: requests * 4100,
  };
}

function shares(total, rows, make) {
  const weights = rows.map((_, index) => 1 / (index + 1) ** 1.6);
  const all = weights.reduce((a, b) => a + b, 0);
  return total
    ? rows.map((row, index) => make(row, Math.round((total * weights[index]) / all))).filter((row) => row.requests)
    : [];
}

const ROUTES = [
  'GET /v2/orders/{id}',
  'GET /v2/orders',
  'POST /v2/orders',
  'GET /v2/customers/{id}',
  'PATCH /v2/orders/{id}/lines/{line}',
  'DELETE /v2/carts/{id}',
  'GET /healthz',
  'POST /v2/payments/{id}/capture',
  'GET /v2/reports/daily',
  'POST /oauth/token',
  'GET /v2/search',
  `GET /${HOSTILE}`,
];
const COUNTRIES = [
  'SE',
  'DE',
  'US',
  'SG',
  'GB',
  'NO',
  'IN',
  'BR',
  'HK',
  'MT',
  'JP',
  'AU',
  'ZA',
  'XX',
  'FR',
  'NL',
  'PL',
  'MU',
];
const STATUSES = [200, 201, 204, 304, 404, 401, 429, 422, 500, 503, 302];

const answers = new Map();

/** Kept for as long as the range begins at the same moment: making 2,160 buckets takes longer than drawing them. */
export function usageOf(key, query) {
  const name =
    ['from', 'bucket', 'timezone'].map((field) => query.get(field)).join(' ') +
    key.key_id +
    Math.round(Date.parse(query.get('to')) / 60_000);
  if (!answers.has(name)) answers.set(name, makeUsage(key, query));
  return answers.get(name);
}

function makeUsage(key, query) {
  const from = Date.parse(query.get('from'));
  const to = Date.parse(query.get('to'));
  const timezone = query.get('timezone') ?? 'UTC';
  const bucket = query.get('bucket') === 'auto' ? bucketFor(to - from) : query.get('bucket');
  const next = random(key.key_id + bucket);
  const unit = bucket === 'quarter_hour' ? 'hour' : bucket;
  const series = [];
  for (
    let at = DateTime.fromMillis(from, { zone: timezone }).startOf(unit);
    at.toMillis() < to;
    at = at.plus(STEPS[bucket])
  ) {
    const end = at.plus(STEPS[bucket]).toMillis();
    if (end > from) series.push(point(key, at.toMillis(), end, next));
  }
  const totals = totalsOf(series);
  return {
    key_id: key.key_id,
    from: query.get('from'),
    to: query.get('to'),
    bucket,
    timezone,
    complete_until: new Date(Date.now() - 2_000).toISOString(),
    filters: {},
    totals,
    previous: totalsOf(series, 0.89),
    series,
    endpoints: shares(totals.requests, ROUTES, (route, requests) => ({
      method: route.split(' ')[0],
      route: route.slice(route.indexOf(' ') + 1),
      requests,
      error_rate: next() ** 3 * 0.2,
      latency_ms: { p95: totals.latency_ms.p95 && 40 + next() * 300 },
    })),
    countries: shares(totals.requests, COUNTRIES, (country, requests) => ({
      country,
      requests,
      error_rate: next() ** 3 * 0.1,
    })),
    statuses: shares(totals.requests, STATUSES, (status, requests) => ({ status, requests })),
  };
}

function fleetSeries(query) {
  const fleet = { key_id: 'all', perHour: KEYS.reduce((sum, key) => sum + key.perHour, 0) };
  const asked = new URLSearchParams(query);
  asked.set('bucket', query.get('bucket') ?? 'auto');
  const { bucket, timezone, complete_until, series } = usageOf(fleet, asked);
  return { bucket, timezone, complete_until, series };
}

/** All keys together, by one property. */
export function groupedUsage(query) {
  const next = random(query.get('group_by'));
  const days = (Date.parse(query.get('to')) - Date.parse(query.get('from'))) / DAY;
  const total = Math.round(days * 24 * KEYS.reduce((sum, key) => sum + key.perHour, 0));
  const names = {
    key_id: KEYS.map((key) => key.key_id),
    route: ROUTES.map((route) => route.slice(route.indexOf(' ') + 1)),
    country: COUNTRIES,
    status: STATUSES.map(String),
  }[query.get('group_by')];
  const data = shares(total, names ?? [], (group, requests) => {
    const failed = query.get('group_by') === 'status' ? Number(Number(group) >= 400) : next() ** 4 * 0.3;
    const server = Number(group) >= 500 ? failed : failed * 0.2;
    const [client_errors, server_errors] = [failed - server, server].map((rate) => Math.round(rate * requests));
    return { group, requests, client_errors, server_errors, error_rate: failed };
  });
  const answer = { from: query.get('from'), to: query.get('to'), group_by: query.get('group_by'), data };
  return query.get('include') === 'series' ? { ...answer, ...fleetSeries(query) } : answer;
}

export function recentRequests(query) {
  const key = keyDetails(query.get('key_id'));
  const next = random('requests');
  const data = !key?.perHour
    ? []
    : Array.from({ length: 20 }, (_, index) => ({
        timestamp: new Date(Math.min(Date.now(), Date.parse(query.get('to'))) - index * 7_300).toISOString(),
        method: 'GET',
        path: index === 5 ? `/${HOSTILE}` : `/v2/orders/${Math.floor(next() * 1e6)}`,
        route: '/v2/orders/{id}',
        status: STATUSES[Math.floor(next() ** 3 * STATUSES.length)],
        latency_ms: Math.round(20 + next() * 200),
        country: COUNTRIES[Math.floor(next() * 5)],
        ip: '203.0.113.0',
        user_agent: index === 3 ? HOSTILE : 'okhttp/4.12.0 (Android 15; sv-SE)',
        request_id: `req_${index}`,
        service: 'orders',
        environment: 'production',
      }));
  return { data, next_cursor: null };
}
