/**
 * One key's past judged window by window, with the detectors and the state machine of the evaluation: what a rule would have
 * said. Pure: what was known at each window in, openings out.
 */
import type { AlertKind } from '../alert.ts';
import { noFacts } from '../evaluation/key-facts.ts';
import type { KeyHistory } from '../evaluation/key-history.ts';
import type { KindEvaluation } from '../evaluation/kind.ts';
import { type AlertState, advance, initialState } from '../state.ts';
import { type Effective, policyOf } from './rule.ts';

export const BUCKET_SECONDS = 300;

/** Time whose windows are judged, in epoch seconds at full buckets: (judgeFrom, to]. */
export interface Span {
  judgeFrom: number;
  to: number;
}

/** A key whose past is read. */
export interface ScopedKey {
  key_id: string;
  /** Epoch seconds of the first receipt. */
  since: number;
}

/** One key's past as one kind of alert sees it. */
export interface KeyPast {
  keyId: string;
  /** Ends of the windows that are judged, in epoch seconds, oldest first. */
  ends: readonly number[];
  /** What the evaluation would have known at the end of that window. */
  historyAt(end: number): KeyHistory;
}

/** Ends of all windows of this step in the span. */
export function endsEvery(stepSeconds: number, { judgeFrom, to }: Span): number[] {
  const ends: number[] = [];
  for (let end = judgeFrom - (judgeFrom % stepSeconds) + stepSeconds; end <= to; end += stepSeconds) ends.push(end);
  return ends;
}

export interface Fired {
  key_id: string;
  scope: string;
  at: string;
  ended_at: string | null;
  severity: string;
  summary: string;
}

/** Openings that people would have been told of. */
export function replayKey(kind: KindEvaluation, past: KeyPast, effective: Effective<AlertKind>): Fired[] {
  const states = new Map<string, AlertState>();
  const open = new Map<string, Fired>();
  const fired: Fired[] = [];
  const { keyId } = past;
  const facts = noFacts(keyId);
  for (const end of past.ends) {
    const atMs = end * 1000;
    for (const one of kind.judge({ keyId, facts, history: past.historyAt(end), effective, atMs })) {
      const severity = effective.severity ?? one.severity;
      const before = states.get(one.scope) ?? initialState();
      const { next, reason } = advance(before, { atMs, level: one.level, severity }, policyOf(effective, severity));
      states.set(one.scope, next);
      if (reason === 'opened') {
        const at = new Date(atMs).toISOString();
        const opening = {
          key_id: keyId,
          scope: one.scope,
          at,
          ended_at: null,
          severity,
          summary: one.describe().summary,
        };
        fired.push(opening);
        open.set(one.scope, opening);
      }
      const ending = open.get(one.scope);
      if (ending && next.phase === 'resolved') {
        ending.ended_at = new Date(atMs).toISOString();
        open.delete(one.scope);
      }
    }
  }
  return fired;
}
