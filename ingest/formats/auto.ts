import { apisix } from './apisix.ts';
import { awsApiGateway } from './aws-apigateway.ts';
import { caddy } from './caddy.ts';
import { cloudevents } from './cloudevents.ts';
import { finish } from './entry-format.ts';
import { envoy } from './envoy.ts';
import { firehose } from './firehose.ts';
import { fluentBit } from './fluent-bit.ts';
import type { Format, FormatOptions, FormatPayload, Steps } from './format.ts';
import { keytallyRecord } from './keytally-record.ts';
import { kong } from './kong.ts';
import { nginx } from './nginx.ts';
import { otlpLogs, otlpTraces } from './otlp.ts';
import { shippedSteps } from './shipper.ts';
import { traefik } from './traefik.ts';
import { tyk } from './tyk.ts';
import { vector } from './vector.ts';

/**
 * Asked in this order. Envelopes first, because what is inside them would also be recognised; then the gateways, the
 * most particular names first; shippers last, because a gateway's entry with a `date` added is still the gateway's.
 */
const CANDIDATES: readonly Format[] = [
  ...[otlpTraces, otlpLogs, firehose, cloudevents],
  ...[kong, caddy, apisix, traefik, tyk, envoy, awsApiGateway, keytallyRecord, nginx],
  ...[fluentBit, vector],
];

/** The format a payload looks like, judged by its headers and its first entry. */
function recognise(payload: FormatPayload): Format | undefined {
  return CANDIDATES.find((format) => format.recognises(payload));
}

function* steps(payload: FormatPayload, options: FormatOptions): Steps {
  const found = recognise(payload);
  // Unknown as a whole: later entries may still be known, and every unknown one is reported.
  const result = yield* found === undefined ? shippedSteps(payload, options) : found.steps(payload, options);
  result.format = found?.name ?? '';
  return result;
}

/** Takes whatever comes and says in `format` what it took it for. */
export const auto: Format = {
  name: 'auto',
  steps,
  parse: (payload, options) => finish(steps(payload, options)),
  recognises: (payload) => recognise(payload) !== undefined,
};
