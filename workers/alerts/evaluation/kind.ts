import type { Store } from '../../clickhouse/store.ts';
import type { AlertKind } from '../alert.ts';
import type { Effective, RuleBook } from '../rules/rule.ts';
import type { KeyFacts } from './key-facts.ts';
import type { KeyHistory } from './key-history.ts';
import type { MissingBuckets } from './missing-reports.ts';
import type { Judged } from './steps.ts';

/** Keys of one kind that are looked at closely in one window; of more, the strongest, and the rest is counted. */
export const MAX_CANDIDATES = 20_000;

export interface Candidates {
  keyIds: string[];
  /** All that the query found, also beyond the limit. */
  total: number;
}

export interface CandidateInput {
  store: Store;
  /** End of the judged window. */
  atMs: number;
  book: RuleBook;
  /** Buckets that say nothing about single keys. */
  missing: MissingBuckets;
}

export interface JudgeInput {
  keyId: string;
  facts: KeyFacts;
  history: KeyHistory;
  effective: Effective<AlertKind>;
  atMs: number;
}

/** One kind of alert that is judged on counts per five minutes: SQL finds the few keys worth a look, a pure function decides. */
export interface KindEvaluation {
  kind: AlertKind;
  /** Windows are judged at multiples of this; default: every one. */
  everyMs?: number;
  /** Whether it judges counts of the last three hours and their baselines. */
  usesHistory: boolean;
  scopes: readonly string[];
  /** Scopes that fire together are counted together by the fleet guard. */
  fleetGroup: (scope: string) => string;
  findCandidates: (input: CandidateInput) => Promise<Candidates>;
  /** Reads what else the kind judges of these keys. */
  addMore?: (store: Store, histories: ReadonlyMap<string, KeyHistory>, atMs: number) => Promise<void>;
  judge: (input: JudgeInput) => Judged[];
}
