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
  utilization?:
    | (Partial<Record<keyof Limits, number | null>> & {
        /** When a limit is reached at the pace of its window; null = not in this window, or too early to say. */
        forecast?: Partial<Record<'per_day' | 'per_month', string | null>>;
      })
    | null;
  /** Why a key is not active. */
  status_reason?: string;
  /** With include=series: the last 30 UTC days, today last. */
  series?: { from: string; requests: number[]; errors: number[] };
}
