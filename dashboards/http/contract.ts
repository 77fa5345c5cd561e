/** The api's answers as this app reads them. The api owns the contract (GET /openapi.json). */
export type KeyStatus = 'active' | 'inactive' | 'expired' | 'discovered' | 'deleted';

export interface LastUse {
  at: string;
  country: string | null;
  method: string | null;
  route: string | null;
  status: number | null;
}

export type Limits = Partial<Record<'per_minute' | 'per_day' | 'per_month' | 'burst', number | null>>;

export interface ApiKey {
  key_id: string;
  name: string | null;
  organization_id: string | null;
  customer_id: string | null;
  status: KeyStatus;
  environment: string | null;
  prefix: string | null;
  created_at: string | null;
  expires_at: string | null;
  tracking_since: string | null;
  last_used: LastUse | null;
  total_requests: number;
  requests_30d: number;
  error_rate_30d: number | null;
  limits: Limits | null;
  /** Share of each limit in use, 0..1 and above. */
  utilization?: Partial<Record<keyof Limits, number | null>> | null;
  /** Why a key is not active. */
  status_reason?: string;
}

export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
}

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

export interface Session {
  scopes: string[];
  organization_id: string | null;
  key_id: string | null;
  name: string | null;
}
