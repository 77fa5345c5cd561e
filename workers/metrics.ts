import { Counter, Gauge, Histogram } from 'prom-client';
import { metrics } from '../ingest/metrics.ts';

const registers = [metrics];

export const rowsInserted = new Counter({
  name: 'keytally_worker_rows_inserted_total',
  help: 'Rows confirmed by ClickHouse (a repeat under the same token is counted again here, not there)',
  registers,
});

export const rowsRepeated = new Counter({
  name: 'keytally_worker_rows_repeated_total',
  help: 'Rows left out because an earlier batch owns their Idempotency-Key',
  registers,
});

export const rowsDead = new Counter({
  name: 'keytally_worker_rows_dead_lettered_total',
  help: 'Rows written to dead_letters',
  registers,
});

export const insertFailures = new Counter({
  name: 'keytally_worker_insert_failures_total',
  help: 'Failed inserts by what was done about them',
  labelNames: ['class'] as const,
  registers,
});
for (const name of ['wait', 'retry', 'dead_letter', 'crash']) insertFailures.inc({ class: name }, 0);

export const insertSeconds = new Histogram({
  name: 'keytally_worker_insert_seconds',
  help: 'Time of one insert with all views',
  buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
  registers,
});

export const lastInsert = new Gauge({
  name: 'keytally_worker_last_insert_timestamp_seconds',
  help: 'Time of the last confirmed insert, 0 before the first',
  registers,
});

export const jobsStalled = new Counter({
  name: 'keytally_worker_jobs_stalled_total',
  help: 'Batches taken over from a worker that stopped renewing its lock',
  registers,
});

export const orphanedTokens = new Counter({
  name: 'keytally_store_orphaned_tokens_total',
  help: 'Insert tokens without their part, as a kill in the middle of an insert leaves them, forgotten when the embedded engine was opened',
  registers,
});

export const readsRefused = new Counter({
  name: 'keytally_store_reads_refused_total',
  help: 'Reads that the embedded engine was not asked for, because too many waited for it already',
  registers,
});

export const indexEntriesMended = new Counter({
  name: 'keytally_index_entries_mended_total',
  help: 'Entries of the index in Redis that differed from ClickHouse when it was looked over, each hour and after a change of a key that failed',
  registers,
});

export const batchesWaiting = new Gauge({
  name: 'keytally_worker_batches_waiting',
  help: 'Batches in Redis that no worker has taken yet, of all shards; NaN while Redis does not answer',
  registers,
});

export const oldestBatchSeconds = new Gauge({
  name: 'keytally_worker_oldest_batch_seconds',
  help: 'Age of the oldest waiting batch: the lag between a 202 and the count; NaN while Redis does not answer',
  registers,
});

export const deadLettersWaiting = new Gauge({
  name: 'keytally_dead_letters_waiting',
  help: 'Dead letters that nobody replayed or dropped',
  registers,
});

export const oldestDeadLetterSeconds = new Gauge({
  name: 'keytally_dead_letters_oldest_seconds',
  help: 'Age of the oldest waiting dead letter, 0 when there is none',
  registers,
});

export const invariantViolations = new Gauge({
  name: 'keytally_invariant_violations',
  help: 'Rows that a query of workers/invariants.sql returned in the last check, -1 when the query failed, 0 before the first',
  labelNames: ['invariant'] as const,
  registers,
});

export const lastBackup = new Gauge({
  name: 'keytally_backup_last_timestamp_seconds',
  help: 'When the last backup by keytally backup was complete, 0 when there was none',
  registers,
});

export const invariantsChecked = new Gauge({
  name: 'keytally_invariants_checked_timestamp_seconds',
  help: 'Time of the last check of the invariants by any worker, 0 before the first',
  registers,
});

/** Statuses that schedules, policies, leaks and people give keys; every other change counts as `other`. */
const STATUS_CHANGES = ['deactivated', 'expired', 'reactivated', 'deleted', 'leaked'] as const;

const keyChanges = new Counter({
  name: 'keytally_key_changes_total',
  help: 'Changes of registered keys that were stored, by what they did',
  labelNames: ['change'] as const,
  registers,
});
for (const change of [...STATUS_CHANGES, 'other']) keyChanges.inc({ change }, 0);

/** @param action as in the audit, e.g. `key.expired` */
export function countKeyChange(action: string): void {
  keyChanges.inc({ change: STATUS_CHANGES.find((change) => action === `key.${change}`) ?? 'other' });
}

export const slotsLeftOut = new Counter({
  name: 'keytally_slots_left_out_total',
  help: 'Time slots of a schedule that were left out because the one before was still being worked on',
  labelNames: ['kind'] as const,
  registers,
});
for (const kind of ['sweep', 'policies', 'key_list', 'invariants', 'relay', 'digest']) slotsLeftOut.inc({ kind }, 0);

export const noticesWritten = new Counter({
  name: 'keytally_key_notices_total',
  help: 'Reminders of expiries and rotations written by sweeps',
  registers,
});

export const noticesWaiting = new Gauge({
  name: 'keytally_key_notices_waiting',
  help: 'Keys that may be due a reminder and that the last sweep left for the next one',
  registers,
});
