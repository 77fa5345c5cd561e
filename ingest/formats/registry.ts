import { apache } from './apache.ts';
import { apisix } from './apisix.ts';
import { auto } from './auto.ts';
import { awsApiGateway } from './aws-apigateway.ts';
import { caddy } from './caddy.ts';
import { cloudevents } from './cloudevents.ts';
import { envoy } from './envoy.ts';
import { firehose } from './firehose.ts';
import { fluentBit } from './fluent-bit.ts';
import type { Format } from './format.ts';
import { keytallyRecord } from './keytally-record.ts';
import { kong } from './kong.ts';
import { nginx } from './nginx.ts';
import { otlpLogs, otlpTraces } from './otlp.ts';
import { traefik } from './traefik.ts';
import { tyk } from './tyk.ts';
import { vector } from './vector.ts';

const FORMATS: ReadonlyMap<string, Format> = new Map(
  [
    ...[kong, apisix, tyk, envoy, nginx, apache, traefik, caddy, awsApiGateway, firehose, cloudevents],
    ...[vector, fluentBit, otlpTraces, otlpLogs, keytallyRecord, auto],
  ].map((format) => [format.name, format]),
);

/** Every name `POST /v1/ingest/{format}` knows. */
export const FORMAT_NAMES: readonly string[] = [...FORMATS.keys()];

/** @returns undefined for a name that is none of {@link FORMAT_NAMES} */
export function formatByName(name: string): Format | undefined {
  return FORMATS.get(name);
}
