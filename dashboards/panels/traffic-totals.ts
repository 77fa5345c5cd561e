export interface TrafficTotals {
  requests: number;
  client_errors: number;
  server_errors: number;
  /** Null without requests: there is no rate of nothing. */
  error_rate: number | null;
}
