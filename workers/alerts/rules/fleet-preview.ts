/**
 * What the alert of the whole platform would have said: every kind is judged again over the keys that are looked at, and the
 * windows in which many of them breach go through the steps of the evaluation.
 */
import { nextTurn } from '../../../ingest/event-loop.ts';
import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvent } from '../alert.ts';
import { judgeKey, type WindowInput } from '../evaluation/evaluate-window.ts';
import { type KnownAlert, knownAfter } from '../evaluation/event-store.ts';
import { type FleetCounts, fleetStep } from '../evaluation/fleet.ts';
import { type KeyFacts, noFacts, readKeyFacts } from '../evaluation/key-facts.ts';
import { NONE_MISSING } from '../evaluation/missing-reports.ts';
import { type PlatformTraffic, platformSilence } from '../evaluation/platform-silence.ts';
import { BUCKET_MS } from '../evaluation/settled.ts';
import { PAST_KINDS, type PastKind } from './past-kinds.ts';
import { BUCKET_SECONDS, endsEvery, type Fired, type KeyPast, type ScopedKey, type Span } from './replay.ts';
import { type Rule, RuleBook } from './rule.ts';
import { Rules } from './rule-store.ts';
import { readTrafficPasts, type TrafficPast } from './traffic-past.ts';

const KEYS_PER_READ = 20;
/** As the evaluation counts back (platform-silence.ts). */
const SILENCE_BUCKETS = 12;

/** What the keys that were looked at showed together at the end of one window. */
interface FleetWindow {
  activeKeys: number;
  requests: number;
  /** Keys that breached, by kind and group. */
  breaching: Map<PastKind, FleetCounts>;
}

interface FleetPast {
  windows: Map<number, FleetWindow>;
  traffic: TrafficPast[];
  looked: number;
}

/** @param maxMs after this time no further key is looked at; shares are those of the keys that were */
export async function previewFleet(
  store: Store,
  rule: Rule,
  keys: readonly ScopedKey[],
  span: Span,
  maxMs: number,
): Promise<{ alerts: Fired[]; looked: number }> {
  const others = (await new Rules(store).list()).filter((one) => one.kind !== 'platform');
  const book = new RuleBook([...others, rule]);
  const past = await readFleet(store, book, keys, span, maxMs);
  const silent = await emptyEnds(store, past, span);
  return { alerts: replayFleet(store, book, past, silent), looked: past.looked };
}

async function readFleet(
  store: Store,
  book: RuleBook,
  keys: readonly ScopedKey[],
  span: Span,
  maxMs: number,
): Promise<FleetPast> {
  const until = performance.now() + maxMs;
  const ends = endsEvery(BUCKET_SECONDS, span);
  const windows = new Map(
    ends.map((end): [number, FleetWindow] => [end, { activeKeys: 0, requests: 0, breaching: new Map() }]),
  );
  const fleet: FleetPast = { windows, traffic: [], looked: 0 };
  const facts = await readKeyFacts(
    store,
    keys.map((key) => key.key_id),
  );
  for (let at = 0; at < keys.length; at += KEYS_PER_READ) {
    const chunk = keys.slice(at, at + KEYS_PER_READ);
    const traffic = await readTrafficPasts(store, chunk, span);
    const pasts = await Promise.all(
      PAST_KINDS.map(async (one) => ({
        one,
        its: one.read === readTrafficPasts ? traffic : await one.read(store, chunk, span),
      })),
    );
    for (const [n, own] of traffic.entries()) {
      if (performance.now() > until) return fleet;
      addTraffic(fleet, own);
      for (const { one, its } of pasts)
        addBreaches(fleet, one, its[n]!, facts.get(own.keyId) ?? noFacts(own.keyId), book);
      fleet.looked++;
      await nextTurn();
    }
  }
  return fleet;
}

function addTraffic(fleet: FleetPast, own: TrafficPast): void {
  fleet.traffic.push(own);
  for (const [end, window] of fleet.windows) {
    window.requests += own.requestsAt(end);
    if (own.isActiveAt(end)) window.activeKeys++;
  }
}

function addBreaches({ windows }: FleetPast, one: PastKind, past: KeyPast, facts: KeyFacts, book: RuleBook): void {
  const effective = book.for(one.kind.kind, facts);
  for (const end of past.ends) {
    const window = windows.get(end);
    const history = past.historyAt(end);
    if (!window || one.mayBreach?.(history) === false) continue;
    for (const { level, scope } of judgeKey(one.kind, effective, end * 1000, facts, history)) {
      if (level !== 'breach') continue;
      const counts: FleetCounts = window.breaching.get(one) ?? new Map();
      const group = one.kind.fleetGroup(scope);
      counts.set(group, (counts.get(group) ?? new Set()).add(past.keyId));
      window.breaching.set(one, counts);
    }
  }
}

/** Windows in which nobody at all reported anything: keys beyond those that were looked at speak as well. */
async function emptyEnds(store: Store, { windows }: FleetPast, { judgeFrom, to }: Span): Promise<Set<number>> {
  const empty = [...windows].filter(([, window]) => window.requests === 0).map(([end]) => end);
  if (empty.length === 0) return new Set();
  const rows = await store.query<{ end: number }>(
    `SELECT DISTINCT toUnixTimestamp(start) + ${BUCKET_SECONDS} AS end FROM traffic_buckets
     WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')`,
    { from: judgeFrom, to },
  );
  const spoken = new Set(rows.map((row) => row.end));
  return new Set(empty.filter((end) => !spoken.has(end)));
}

const NO_COUNTS: FleetCounts = new Map();

function replayFleet(store: Store, book: RuleBook, past: FleetPast, silent: ReadonlySet<number>): Fired[] {
  const known = new Map<string, KnownAlert>();
  const fired = new Map<string, Fired>();
  for (const [end, window] of past.windows) {
    const context = { atMs: end * 1000, windowMs: BUCKET_MS, recordedAt: '', late: false };
    const input: WindowInput = {
      ...{ store, book, silences: [], channels: [], known, context },
      judgedAtMs: context.atMs,
      activeKeys: window.activeKeys,
      missing: NONE_MISSING,
    };
    const events = platformSilence(input, trafficOf(past, silent, end));
    // As in production: while nobody reports anything, states stay as they are.
    if (!silent.has(end)) events.push(...fleetEvents(input, window));
    for (const event of events) {
      known.set(event.alert_key, knownAfter(event));
      noteFired(fired, event);
    }
  }
  return [...fired.values()];
}

function fleetEvents(input: WindowInput, window: FleetWindow): AlertEvent[] {
  return PAST_KINDS.filter(({ stepSeconds }) => input.context.atMs % (stepSeconds * 1000) === 0).flatMap((one) =>
    [...new Set(one.kind.scopes.map(one.kind.fleetGroup))].flatMap(
      (group) => fleetStep(one.kind, group, input, window.breaching.get(one) ?? NO_COUNTS) ?? [],
    ),
  );
}

function trafficOf({ traffic, windows }: FleetPast, silent: ReadonlySet<number>, end: number): PlatformTraffic {
  const { activeKeys, requests } = windows.get(end)!;
  if (!silent.has(end)) return { requests: Math.max(1, requests), activeKeys, emptyBuckets: 0, expectedPerBucket: 0 };
  let emptyBuckets = 0;
  while (emptyBuckets < SILENCE_BUCKETS && silent.has(end - emptyBuckets * BUCKET_SECONDS)) emptyBuckets++;
  const expectedPerBucket = traffic.reduce((sum, one) => sum + one.expectedAt(end), 0);
  return { requests: 0, activeKeys, emptyBuckets, expectedPerBucket };
}

function noteFired(fired: Map<string, Fired>, event: AlertEvent): void {
  const { alert_id: id, at, severity, scope, evidence } = event;
  if (event.notify === 'opened')
    fired.set(id, { key_id: '', scope, at, ended_at: null, severity, summary: evidence.summary });
  const opening = fired.get(id);
  if (opening && event.transition === 'resolved') opening.ended_at = at;
}
