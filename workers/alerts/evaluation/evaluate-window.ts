import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvent, AlertKind } from '../alert.ts';
import { alertKeyOf } from '../alert.ts';
import { missesPlatformAlert, type RoutedChannel } from '../delivery/channel-routing.ts';
import type { Effective, RuleBook } from '../rules/rule.ts';
import { type Silence, silencedUntil } from '../silence-matching.ts';
import { isOpen } from '../state.ts';
import type { KnownAlert } from './event-store.ts';
import { explain } from './explain.ts';
import { type FleetCounts, fleetStep } from './fleet.ts';
import { type KeyFacts, noFacts, readKeyFacts } from './key-facts.ts';
import { type KeyHistory, noHistory, readHistories } from './key-history.ts';
import type { KindEvaluation } from './kind.ts';
import { candidatesCut } from './metrics.ts';
import type { MissingBuckets } from './missing-reports.ts';
import { eventOfStep, type Judged, type WindowContext } from './steps.ts';

export interface WindowInput {
  store: Store;
  book: RuleBook;
  silences: readonly Silence[];
  /** All channels: a key's alert waits behind the platform's only where that is heard. */
  channels: readonly RoutedChannel[];
  /** Alerts that were judged lately, by alert key; advanced in place by what is returned. */
  known: Map<string, KnownAlert>;
  context: WindowContext;
  /** Time for which silences are looked up: when the window is judged. */
  judgedAtMs: number;
  /** Keys with traffic lately. */
  activeKeys: number;
  /** Buckets in which the reports of everybody were missing. */
  missing: MissingBuckets;
}

/** Keys that one kind looks at closely. */
interface Chosen {
  kind: KindEvaluation;
  keyIds: string[];
}

/**
 * Judges one window of all kinds over all keys: each kind finds its keys, what is known of them is read once for all kinds.
 * @returns the rows to be written, none of them written yet
 */
export async function evaluateKinds(kinds: readonly KindEvaluation[], input: WindowInput): Promise<AlertEvent[]> {
  const { store, context } = input;
  const chosen: Chosen[] = [];
  for (const kind of kinds) {
    if (kind.everyMs && context.atMs % kind.everyMs !== 0) continue;
    chosen.push({ kind, keyIds: await keysOf(kind, input) });
  }
  const idsOf = (some: readonly Chosen[]) => [...new Set(some.flatMap((one) => one.keyIds))];
  const facts = await readKeyFacts(store, idsOf(chosen));
  const asked = idsOf(chosen.filter(({ kind }) => kind.usesHistory));
  const histories = await readHistories(store, asked, context.atMs, input.missing);
  const events: AlertEvent[] = [];
  for (const { kind, keyIds } of chosen) {
    const its = new Map(keyIds.map((keyId) => [keyId, histories.get(keyId) ?? noHistory()]));
    if (keyIds.length > 0) await kind.addMore?.(store, its, context.atMs);
    const judged = keyIds.flatMap((keyId) => {
      const own = facts.get(keyId) ?? noFacts(keyId);
      return judgeKey(kind, input.book.for(kind.kind, own), context.atMs, own, its.get(keyId)!);
    });
    events.push(...eventsOf(kind, input, judged, facts));
  }
  return explain(store, events);
}

async function keysOf(kind: KindEvaluation, input: WindowInput): Promise<string[]> {
  const { store, book, context, known, missing } = input;
  const candidates = await kind.findCandidates({ store, atMs: context.atMs, book, missing });
  if (candidates.total > candidates.keyIds.length) candidatesCut.inc(candidates.total - candidates.keyIds.length);
  const open = [...known.values()].filter((one) => one.kind === kind.kind && one.keyId !== '' && needsJudging(one));
  return [...new Set([...candidates.keyIds, ...open.map((one) => one.keyId)])];
}

/** Alerts that are neither open nor pending have nothing to end. */
const needsJudging = ({ state }: KnownAlert): boolean => isOpen(state.phase) || state.phase === 'pending';

/** What one kind finds of one key, by the rule that holds for it. */
export function judgeKey(
  kind: KindEvaluation,
  effective: Effective<AlertKind>,
  atMs: number,
  facts: KeyFacts,
  history: KeyHistory,
): Judged[] {
  const judged = kind.judge({ keyId: facts.key_id, facts, history, effective, atMs });
  // Nobody expects anything of a key that is off, and it is refused by design; nobody asks about one whose rule is off.
  return facts.isActive && effective.enabled ? judged : judged.map((one) => ({ ...one, level: 'clear' }));
}

function eventsOf(
  kind: KindEvaluation,
  input: WindowInput,
  judged: readonly Judged[],
  facts: ReadonlyMap<string, KeyFacts>,
): AlertEvent[] {
  const judgedOf = judged.map((one) => {
    const its = facts.get(one.keyId) ?? noFacts(one.keyId);
    const silencedUntilMs = silencedUntil({ ...its, kind: one.kind }, input.silences, input.judgedAtMs);
    return { one, its, silencedUntilMs };
  });
  const counts: FleetCounts = new Map();
  for (const { one, silencedUntilMs } of judgedOf) {
    // What somebody muted must not be told as the platform's, nor mute others.
    if (one.level !== 'breach' || silencedUntilMs !== undefined) continue;
    const group = kind.fleetGroup(one.scope);
    counts.set(group, (counts.get(group) ?? new Set()).add(one.keyId));
  }
  const fleet = fleetEvents(kind, input, counts);
  const groups = [...new Set(kind.scopes.map(kind.fleetGroup))];
  const openFleet = new Map(groups.map((group) => [group, openFleetAlert(kind, group, input.known, fleet)]));
  const isMissedByReaders = missesPlatformAlert(input.channels);
  const events: AlertEvent[] = [];
  for (const { one, its, silencedUntilMs } of judgedOf) {
    const effective = input.book.for(kind.kind, its);
    const stronger = openFleet.get(kind.fleetGroup(one.scope));
    const routed = { ...its, kind: one.kind, scope: one.scope, severity: effective.severity ?? one.severity };
    const event = eventOfStep(input.known.get(alertKeyOf(one.kind, one.keyId, one.scope)), one, input.context, {
      facts: its,
      effective,
      silencedUntilMs,
      inhibitedBy: stronger !== undefined && isMissedByReaders(routed) ? undefined : stronger,
    });
    if (event) events.push(event);
  }
  return [...fleet, ...events];
}

function fleetEvents(kind: KindEvaluation, input: WindowInput, counts: FleetCounts): AlertEvent[] {
  return [...new Set(kind.scopes.map(kind.fleetGroup))].flatMap((group) => fleetStep(kind, group, input, counts) ?? []);
}

/** Id of the platform's open alert that explains those of the keys. */
function openFleetAlert(
  kind: KindEvaluation,
  group: string,
  known: ReadonlyMap<string, KnownAlert>,
  fleet: readonly AlertEvent[],
): string | undefined {
  const alertKey = alertKeyOf('platform', '', `${kind.kind} ${group}`.trim());
  const now = fleet.find((event) => event.alert_key === alertKey);
  const state = now?.state ?? known.get(alertKey)?.state;
  return state && isOpen(state.phase) ? (now?.alert_id ?? known.get(alertKey)!.alertId) : undefined;
}
