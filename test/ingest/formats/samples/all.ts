import { APISIX_SAMPLES } from './apisix.ts';
import { AWS_SAMPLES, FIREHOSE_SAMPLES } from './aws.ts';
import { CLOUDEVENTS_SAMPLES, FLUENT_BIT_SAMPLES, KEYTALLY_SAMPLES, VECTOR_SAMPLES } from './envelopes.ts';
import { ENVOY_SAMPLES } from './envoy.ts';
import { KONG_SAMPLES } from './kong.ts';
import { APACHE_SAMPLES, NGINX_SAMPLES } from './nginx.ts';
import { OTLP_SAMPLES } from './otlp.ts';
import type { Sample } from './sample.ts';
import { CADDY_SAMPLES, TRAEFIK_SAMPLES } from './traefik-caddy.ts';
import { TYK_SAMPLES } from './tyk.ts';

export const SAMPLES: readonly Sample[] = [
  ...[...KONG_SAMPLES, ...APISIX_SAMPLES, ...TYK_SAMPLES, ...ENVOY_SAMPLES, ...NGINX_SAMPLES, ...APACHE_SAMPLES],
  ...[...TRAEFIK_SAMPLES, ...CADDY_SAMPLES, ...AWS_SAMPLES, ...FIREHOSE_SAMPLES, ...CLOUDEVENTS_SAMPLES],
  ...[...VECTOR_SAMPLES, ...FLUENT_BIT_SAMPLES, ...OTLP_SAMPLES, ...KEYTALLY_SAMPLES],
];
