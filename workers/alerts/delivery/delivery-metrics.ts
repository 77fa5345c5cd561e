import { Counter, Gauge } from 'prom-client';
import { metrics } from '../../../ingest/metrics.ts';
import { CHANNEL_TYPES } from '../channels/channel.ts';

const registers = [metrics];

export const attemptsMade = new Counter({
  name: 'keytally_delivery_attempts_total',
  help: 'Attempts at messages by type of channel and outcome',
  labelNames: ['type', 'outcome'] as const,
  registers,
});

export const deliveriesEnded = new Counter({
  name: 'keytally_deliveries_total',
  help: 'Deliveries that were sent or failed for good, by type of channel',
  labelNames: ['type', 'status'] as const,
  registers,
});

for (const type of CHANNEL_TYPES) for (const status of ['sent', 'failed']) deliveriesEnded.inc({ type, status }, 0);

export const backlogSeconds = new Gauge({
  name: 'keytally_delivery_oldest_waiting_seconds',
  help: 'Age of the oldest delivery that waits or is retried, as the last relay saw it; 0 = nothing waits',
  registers,
});

export const digestSize = new Gauge({
  name: 'keytally_delivery_digest_alerts',
  help: 'Alerts that wait for a digest, as the last relay saw it',
  registers,
});

export const relayed = new Counter({
  name: 'keytally_delivery_relayed_total',
  help: 'Events that the relay routed because their hand-over was lost',
  labelNames: ['what'] as const,
  registers,
});
for (const what of ['event', 'key_event']) relayed.inc({ what }, 0);
