import type { ReceivedMessage } from '../support/delivery-receiver.ts';
import { ALERTS_PATH, KEY_EVENTS_PATH, WATCHED_KINDS } from './alert-watch.ts';
import type { Read } from './compare.ts';
import type { Ledger } from './ledger.ts';

/** A change of a key that was confirmed, or was announced to come: one event, one alert, one message of each channel. */
export interface KeyChange {
  keyId: string;
  type: 'key.deactivated' | 'key.reactivated' | 'key.expired';
  /** Of the key after the change; undefined when only the key is known. */
  version?: number;
}

/** What people and platforms must have been told. */
export interface ExpectedAlerts {
  changes: readonly KeyChange[];
  /** Keys of which it is not known whether the change was made: told once or not at all. */
  uncertain: ReadonlySet<string>;
  /** Requests a month that each key may make. */
  monthlyLimits: ReadonlyMap<string, number>;
  /** Keys that are active at the end: nothing about them may be open. */
  active: ReadonlySet<string>;
}

export interface AlertComparison {
  /** Notifications that the ledger foretells. */
  expected: number;
  /** Steps in `alert_events`, and those of them that end an alert. */
  steps: number;
  ended: number;
  wrong: string[];
}

interface Step {
  event_id: string;
  alert_id: string;
  kind: string;
  key_id: string;
  phase: string;
  transition: string;
  notify: string;
  about: string;
  step_percent: number;
  at_ms: number;
  delivery: string;
  reason: string;
  message_id: string;
}

const STEPS_PERCENT = [80, 90, 100];
const PASSED = 'over before it was sent';

/** Every step of the watched kinds with what became of its delivery. */
const STEPS_SQL = `SELECT e.event_id AS event_id, e.alert_id AS alert_id, e.kind AS kind, e.key_id AS key_id, e.phase AS phase,
    e.transition AS transition, e.notify AS notify, JSONExtractString(e.evidence, 'key', 'event_id') AS about,
    JSONExtractInt(e.evidence, 'limit', 'stepPercent') AS step_percent, toUnixTimestamp64Milli(e.at) AS at_ms,
    d.status AS delivery, d.reason AS reason, d.message_id AS message_id
  FROM (SELECT * FROM alert_events FINAL WHERE kind IN (${WATCHED_KINDS.map((kind) => `'${kind}'`).join(', ')})) AS e
  LEFT JOIN (SELECT * FROM deliveries FINAL WHERE channel_id != '') AS d ON d.event_id = e.event_id
  ORDER BY at_ms, event_id`;

/**
 * Compares what arrived with the ledger and with `alert_events`: each expected notification at least once and under one id, nothing
 * else, and a step for each.
 */
export async function compareAlerts(
  read: Read,
  messages: readonly ReceivedMessage[],
  ledger: Ledger,
  expected: ExpectedAlerts,
): Promise<AlertComparison> {
  const steps = await read<Step>(STEPS_SQL);
  const wrong = [
    ...keyEventFaults(messages, expected),
    ...alertFaults(steps, messages, expected),
    ...limitFaults(steps, messages, ledger, expected),
    ...stateFaults(steps, expected),
  ];
  const [open] = await read<{ n: number }>(
    "SELECT count() AS n FROM deliveries FINAL WHERE status NOT IN ('sent', 'dropped')",
  );
  if (open!.n > 0) wrong.push(`${open!.n} deliveries are not over`);
  const alerting = expected.changes.filter(({ type }) => type !== 'key.reactivated');
  const reached = [...expected.monthlyLimits].filter(([key, limit]) => stepOf(ledger, key, limit) > 0);
  return {
    expected: expected.changes.length + alerting.length + reached.length,
    steps: steps.length,
    ended: steps.filter(({ transition }) => transition === 'resolved').length,
    wrong,
  };
}

/** Highest step that the requests of this month reach, 0 = none. */
export function stepOf(ledger: Ledger, keyId: string, limit: number, nowMs = Date.now()): number {
  const month = Date.UTC(new Date(nowMs).getUTCFullYear(), new Date(nowMs).getUTCMonth()) / 1000;
  let used = 0;
  for (const [cell, sums] of ledger.cells('usage_day')) {
    const [key, start] = cell.split('|');
    if (key === keyId && Number(start) >= month) used += sums[0]!;
  }
  return Math.max(0, ...STEPS_PERCENT.filter((step) => used * 100 >= limit * step));
}

/** Ids of messages by what they tell: one each, however often it was sent. */
function idsByName(named: readonly (readonly [name: string, id: string])[]): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const [name, id] of named) ids.set(name, (ids.get(name) ?? new Set()).add(id));
  return ids;
}

/** @returns what is missing, what nobody expected, and what came under two ids */
function faults(
  channel: string,
  wanted: ReadonlySet<string>,
  allowed: ReadonlySet<string>,
  ids: Map<string, Set<string>>,
) {
  return [
    ...[...wanted].filter((name) => !ids.has(name)).map((name) => `${channel}: ${name} was never told`),
    ...[...ids.keys()]
      .filter((name) => !wanted.has(name) && !allowed.has(name))
      .map((name) => `${channel}: ${name} was told and did not happen`),
    ...[...ids].filter(([, of]) => of.size > 1).map(([name, of]) => `${channel}: ${name} under ${[...of].join(', ')}`),
  ];
}

const nameOf = ({ keyId, type, version }: KeyChange): string => `${type} ${keyId}${version ? `@${version}` : ''}`;

function keyEventFaults(messages: readonly ReceivedMessage[], { changes, uncertain }: ExpectedAlerts): string[] {
  const told = messages.filter(({ path }) => path === KEY_EVENTS_PATH);
  const ids = idsByName(
    told.map(({ id, body }) => {
      const keyId = String(body.data.key?.key_id);
      const version = body.type === 'key.expired' ? undefined : Number(body.data.event?.version);
      return [nameOf({ keyId, type: body.type, ...(version && { version }) }), id] as const;
    }),
  );
  const allowed = new Set([...uncertain].map((keyId) => nameOf({ keyId, type: 'key.expired' })));
  return faults('key events', new Set(changes.map(nameOf)), allowed, ids);
}

interface ToldAlert {
  kind: string;
  key_id: string;
  transition: string;
  phase: string;
  alert_id: string;
  at: string;
  key_event?: { event_id?: string };
  limit?: { step_percent: number };
}

const toldAlerts = (messages: readonly ReceivedMessage[]): [ToldAlert, string][] =>
  messages
    .filter(({ path }) => path === ALERTS_PATH)
    .flatMap(({ id, body }) => (body.data.alerts as ToldAlert[]).map((alert): [ToldAlert, string] => [alert, id]));

/**
 * Steps that went over before their message left: kept back together with the end in that message, or, where an earlier step of the
 * alert was told, in favour of the end that was told.
 */
function passedSteps(steps: readonly Step[]): Set<string> {
  const ends = steps.filter(({ notify }) => notify === 'resolved');
  const hasEnd = (step: Step) =>
    ends.some(
      ({ alert_id, message_id, delivery, reason }) =>
        alert_id === step.alert_id &&
        (delivery === 'sent' || (isPassed({ delivery, reason }) && message_id === step.message_id)),
    );
  return new Set(steps.filter((step) => isPassed(step) && hasEnd(step)).map(({ event_id }) => event_id));
}

const isPassed = ({ delivery, reason }: Pick<Step, 'delivery' | 'reason'>) =>
  delivery === 'dropped' && reason === PASSED;

/** Alerts of changes: a step and a message for each deactivation and expiry; messages about ends only where a step has it. */
function alertFaults(steps: readonly Step[], messages: readonly ReceivedMessage[], expected: ExpectedAlerts): string[] {
  const changeOf = (keyId: string, about: string): string => {
    const version = Number(about.split('@')[1]);
    return keyId.startsWith('expiring-')
      ? nameOf({ keyId, type: 'key.expired' })
      : nameOf({ keyId, type: 'key.deactivated', version });
  };
  const ofChanges = steps.filter(({ kind, about }) => kind !== 'near_limit' && about !== '');
  const wanted = new Set(expected.changes.filter(({ type }) => type !== 'key.reactivated').map(nameOf));
  const allowed = new Set([...expected.uncertain].map((keyId) => nameOf({ keyId, type: 'key.expired' })));
  const stepIds = idsByName(ofChanges.map((step) => [changeOf(step.key_id, step.about), step.event_id] as const));
  const over = passedSteps(steps);
  const passed = new Set(
    ofChanges.filter(({ event_id }) => over.has(event_id)).map((step) => changeOf(step.key_id, step.about)),
  );
  const told = toldAlerts(messages).filter(([alert]) => alert.kind !== 'near_limit');
  const openings = told.filter(([alert]) => alert.key_event?.event_id);
  const arrived = idsByName(
    openings.map(([alert, id]) => [changeOf(alert.key_id, alert.key_event!.event_id!), id] as const),
  );
  const toBeTold = new Set([...wanted].filter((name) => !passed.has(name)));
  const ends = idsByName(
    told
      .filter(([alert]) => alert.phase === 'resolved')
      .map(([alert, id]) => [`end of ${alert.alert_id}`, id] as const),
  );
  const written = steps.filter(({ transition, notify }) => transition === 'resolved' && notify === 'resolved');
  const endsToTell = written.filter(({ delivery }) => delivery !== 'dropped').map((step) => `end of ${step.alert_id}`);
  return [
    ...faults('alert_events', wanted, allowed, stepIds),
    ...faults('alerts', toBeTold, allowed, arrived),
    ...faults('alerts', new Set(endsToTell), new Set(), ends),
  ];
}

/** Limits: the highest step that the ledger reaches is told, nothing below the first step, and every step by one message. */
function limitFaults(
  steps: readonly Step[],
  messages: readonly ReceivedMessage[],
  ledger: Ledger,
  { monthlyLimits }: ExpectedAlerts,
): string[] {
  const name = (keyId: string, step: number) => `${step} % of the month of ${keyId}`;
  const written = steps.filter(({ kind, notify }) => kind === 'near_limit' && notify !== '');
  const told = toldAlerts(messages).filter(([alert]) => alert.kind === 'near_limit');
  const ids = idsByName(told.map(([alert, id]) => [name(alert.key_id, alert.limit!.step_percent), id] as const));
  const wanted = new Set(written.map((step) => name(step.key_id, step.step_percent)));
  const highest = (keyId: string) =>
    Math.max(0, ...written.filter((step) => step.key_id === keyId).map((step) => step.step_percent));
  return [
    ...faults('limits', wanted, new Set(), ids),
    ...[...monthlyLimits].flatMap(([keyId, limit]) => {
      const reached = stepOf(ledger, keyId, limit);
      return highest(keyId) === reached ? [] : [`limits: ${keyId} reached ${reached} %, told were ${highest(keyId)} %`];
    }),
    ...written.filter(({ key_id }) => !monthlyLimits.has(key_id)).map(({ key_id }) => `limits: ${key_id} has none`),
  ];
}

/** The newest step of each alert about a key agrees with the key; of a key that is active an end may still be to come. */
function stateFaults(steps: readonly Step[], { active }: ExpectedAlerts): string[] {
  const newest = new Map<string, Step>();
  for (const step of steps) if (step.kind !== 'near_limit') newest.set(step.key_id, step);
  return [...newest.values()].flatMap(({ key_id, phase }) =>
    phase === 'resolved' && !active.has(key_id)
      ? [`alert_events: ${key_id} is not active, but its alert has ended`]
      : [],
  );
}

/** Alerts that are open although their key is active: they end within a minute. */
export async function openOfActive(read: Read, { active }: ExpectedAlerts): Promise<string[]> {
  const steps = await read<Step>(STEPS_SQL);
  const newest = new Map(steps.filter(({ kind }) => kind !== 'near_limit').map((step) => [step.key_id, step]));
  return [...newest.values()]
    .filter(({ key_id, phase }) => active.has(key_id) && phase !== 'resolved')
    .map(({ key_id }) => key_id);
}
