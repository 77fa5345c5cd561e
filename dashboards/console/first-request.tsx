/** The empty list teaches the one step that fills it. */
export function FirstRequest() {
  const command = `curl -X POST ${location.origin}/v1/requests \\
  -H "Authorization: Bearer $KEYTALLY_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"key_id": "key_first", "method": "GET", "path": "/v1/orders",
       "status": 200, "latency_ms": 41, "ip": "203.0.113.7"}'`;
  return (
    <section class="panel first-request" data-testid="keys-empty">
      <h2>No key has been used yet</h2>
      <p>
        A key appears here by itself with its first request. Send one, with a token that has the <code>ingest</code>{' '}
        scope:
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{command}</code>
      </pre>
      <p>
        Kong, Envoy, nginx, Traefik, AWS API Gateway, OpenTelemetry and others can send what they log already: the{' '}
        <a href="/docs">API description</a> names the address for each, and{' '}
        <code>npx keytally import access.log --format nginx</code> reads what lies in files.
      </p>
      <p class="waiting">
        <i class="pulse" aria-hidden="true" />
        Waiting for the first request…
      </p>
    </section>
  );
}
