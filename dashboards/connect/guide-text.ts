/** Names the collector gives to what a guide's gateway sends. */
const OTHER_FORMATS: Record<string, readonly string[]> = {
  http: ['keytally'],
  express: ['keytally'],
  opentelemetry: ['otlp-traces', 'otlp-logs'],
  'aws-apigateway': ['aws-apigateway', 'firehose'],
};

export const FORMATS_OF = (guide: string): readonly string[] => OTHER_FORMATS[guide] ?? [guide];

/** The guide with this installation's address where it says keytally.example.com. */
export function addressed(html: string, at: Pick<Location, 'origin' | 'hostname' | 'port' | 'protocol'>): string {
  const port = at.port || (at.protocol === 'https:' ? '443' : '80');
  return html
    .replaceAll('https://keytally.example.com', at.origin)
    .replaceAll('keytally.example.com', at.hostname)
    .replace(/(Port +)443/g, `$1${port}`)
    .replace(/(tls +)On/g, at.protocol === 'https:' ? '$1On' : '$1Off');
}
