import { apache } from '../formats/apache.ts';
import type { RecordError, RecordInput } from '../record.ts';

/**
 * Records of an Apache log with each client address as one API key: what a team without keys in its log sees.
 * @param body the log file
 */
export function recordsOfAccessLog(body: Buffer, nowMs: number): { records: RecordInput[]; rejects: RecordError[] } {
  const payload = { body, contentType: 'text/plain', headers: {}, nowMs };
  const { records, rejects } = apache.parse(payload, { keySources: [] });
  return { records: records.map((record) => ({ ...record, key_id: record.ip ?? 'unknown' })), rejects };
}

/** The same records moved in time, so that the latest one happens at `nowMs`. */
export function shiftToNow(records: readonly RecordInput[], nowMs: number): RecordInput[] {
  const times = records.map(({ timestamp }) =>
    typeof timestamp === 'number' ? timestamp : Date.parse(timestamp ?? ''),
  );
  const shiftMs = nowMs - times.reduce((latest, time) => Math.max(latest, time), 0);
  return records.map((record, at) => ({ ...record, timestamp: times[at]! + shiftMs }));
}
