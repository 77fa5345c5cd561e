import { Counter, Gauge, Histogram } from 'prom-client';
import { metrics } from '../../../ingest/metrics.ts';

const registers = [metrics];

export const judgedUntil = new Gauge({
  name: 'keytally_alerts_judged_until_timestamp_seconds',
  help: 'End of the newest window that was judged, 0 before the first',
  registers,
});

export const evaluationSeconds = new Histogram({
  name: 'keytally_alerts_evaluation_seconds',
  help: 'Time of judging one window over all keys, by part',
  labelNames: ['part'] as const,
  buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
  registers,
});

export const eventsWritten = new Counter({
  name: 'keytally_alerts_events_total',
  help: 'Steps of alerts that were written, by what people are told of them',
  labelNames: ['notify'] as const,
  registers,
});

export const candidatesCut = new Counter({
  name: 'keytally_alerts_candidates_cut_total',
  help: 'Keys that were not looked at closely because a window had too many candidates',
  registers,
});

export const windowsSkipped = new Counter({
  name: 'keytally_alerts_windows_skipped_total',
  help: 'Windows that were not judged because the evaluation had stood still for too long',
  registers,
});
