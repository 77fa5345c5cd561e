export interface Latency {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface Totals {
  requests: number;
  client_errors: number;
  server_errors: number;
  error_rate: number | null;
  rate_limited: number;
  latency_ms: Latency | null;
  request_bytes: number;
  response_bytes: number;
}

export interface SeriesPoint {
  start: string;
  requests: number;
  redirects: number;
  client_errors: number;
  server_errors: number;
  rate_limited: number;
  latency_ms: Latency | null;
}

export interface EndpointRow {
  method: string;
  route: string;
  requests: number;
  error_rate: number | null;
  latency_ms: { p95: number | null } | null;
}

export interface CountryRow {
  country: string;
  requests: number;
  error_rate: number | null;
}

export interface StatusRow {
  status: number;
  requests: number;
}

export interface Usage {
  key_id: string;
  from: string;
  to: string;
  bucket: 'minute' | 'quarter_hour' | 'hour' | 'day' | 'week' | 'month';
  timezone: string;
  complete_until: string | null;
  totals: Totals;
  previous: Totals | null;
  series: SeriesPoint[];
  endpoints: EndpointRow[];
  countries: CountryRow[];
  statuses: StatusRow[];
  /** The filters that were applied. */
  filters: Record<string, string>;
}

export interface GroupedUsage {
  from: string;
  to: string;
  group_by: string;
  data: UsageGroup[];
}

export interface UsageGroup {
  group: string;
  requests: number;
  client_errors: number;
  server_errors: number;
  error_rate: number;
}

/** GET /v1/usage?include=series: all readable keys together over time. */
export interface FleetUsage extends GroupedUsage {
  bucket: Usage['bucket'];
  timezone: string;
  complete_until: string;
  series: Omit<SeriesPoint, 'latency_ms'>[];
}

export interface RequestRow {
  timestamp: string;
  key_id: string;
  method: string;
  path: string;
  route: string | null;
  status: number;
  latency_ms: number | null;
  request_bytes: number;
  response_bytes: number;
  country: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  service: string | null;
  environment: string | null;
  rate_limited: boolean;
  error: string | null;
}
