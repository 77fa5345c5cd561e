/** What Envoy's response flags mean, as short reasons; see "response flags" in its access log manual. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['RL', 'rate_limited'],
  ['UAEX', 'denied_by_external_authorization'],
  ['UT', 'upstream_timeout'],
  ['UF', 'upstream_connection_failure'],
  ['UH', 'no_healthy_upstream'],
  ['UC', 'upstream_connection_termination'],
  ['UO', 'upstream_overflow'],
  ['UR', 'upstream_remote_reset'],
  ['URX', 'upstream_retry_limit_exceeded'],
  ['UPE', 'upstream_protocol_error'],
  ['UMSDR', 'upstream_max_stream_duration_reached'],
  ['NR', 'no_route'],
  ['NC', 'no_cluster'],
  ['NFCF', 'no_filter_configuration'],
  ['DC', 'client_disconnected'],
  ['DPE', 'downstream_protocol_error'],
  ['DT', 'duration_timeout'],
  ['LR', 'local_reset'],
  ['LH', 'failed_health_check'],
  ['IH', 'invalid_strict_header'],
  ['SI', 'stream_idle_timeout'],
  ['DI', 'delay_injected'],
  ['FI', 'fault_injected'],
  ['RLSE', 'rate_limit_service_error'],
  ['OM', 'overload_manager'],
  ['DF', 'dns_resolution_failure'],
  ['DO', 'drop_overload'],
]);

/** Reason of the first known flag; '' without flags. Unknown flags keep their name. */
export function envoyErrorOf(flags: string, isAborted: boolean): string {
  if (flags === '') return isAborted ? 'client_disconnected' : '';
  const all = flags.split(',', 20);
  for (const flag of all) {
    const reason = REASONS.get(flag.trim());
    if (reason !== undefined) return reason;
  }
  const first = (all[0] as string).trim();
  return /^[A-Za-z]{1,10}$/.test(first) ? 'envoy_' + first.toLowerCase() : '';
}

/** `RL` among the flags. (`RLSE`, the rate limit service failing, is not a refused client.) */
export function isEnvoyRateLimited(flags: string): boolean {
  return flags !== '' && flags.split(',', 20).some((flag) => flag.trim() === 'RL');
}
