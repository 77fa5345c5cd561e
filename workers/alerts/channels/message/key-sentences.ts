import { countOf, daysBetween } from './figures.ts';
import type { Fact } from './model.ts';
import { atMoment, type Clock, fullMoment, nightsUntil } from './moments.ts';
import { code, type ForeignSpan, name, type Phrase, reason, say } from './phrase.ts';

/** Fields of a key event, as `workers/keys` writes them: RFC 3339 times, reasons, actors. */
export type KeyData = Readonly<Record<string, unknown>>;

type Sentence = (key: ForeignSpan, data: KeyData, clock: Clock) => Phrase;

/** What happened to a key, per type of key event. */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  'key.expiring': (key, data, clock) => {
    const at = text(data.expires_at);
    if (Number.isNaN(Date.parse(at))) return say`Key ${key} expires soon.`;
    return say`Key ${key} expires ${inDays(nightsUntil(at, clock))}, ${atMoment(at, clock)}.`;
  },
  'key.expired': (key, data, clock) =>
    say`Key ${key} ${text(data.expires_at) === '' ? 'has expired' : `expired${when(data.expires_at, clock)}`}. Gateways that ask Keytally refuse it.`,
  'key.deactivated': (key, data) => say`Key ${key} was deactivated${because(data.reason)}.`,
  'key.reactivated': (key, data) => say`Key ${key} was activated again${because(data.reason)}.`,
  'key.deleted': (key, data) => say`Key ${key} was deleted${because(data.reason)}.`,
  'key.leaked': (key, data) => say`The secret of key ${key} was found in public${because(data.reason)}.`,
  'key.unused': (key, data, clock) =>
    say`Key ${key} ${unusedFor(data, clock)}.${text(data.acts_at) === '' ? '' : ` It will be deactivated${when(data.acts_at, clock)}.`}`,
  'key.policy_warning': (key, data, clock) =>
    say`Key ${key} will be deactivated${when(data.acts_at, clock)}${because(data.because)}.`,
  'key.rotation_due': (key, data, clock) => {
    const since = text(data.secret_since);
    if (since === '') return say`The secret of key ${key} is due for rotation.`;
    return say`The secret of key ${key} is ${countOf(daysBetween(Date.parse(since), clock.nowMs), 'day')} old and due for rotation.`;
  },
};

/** One sentence about a change of a key; a type that is not known is named as it is. */
export function keySentence(type: string, key: ForeignSpan, data: KeyData, clock: Clock): Phrase {
  const sentence = Object.hasOwn(SENTENCES, type) ? SENTENCES[type] : undefined;
  return sentence ? sentence(key, data, clock) : say`Key ${key}: ${code(type)}.`;
}

/** Short form for subjects. */
export const KEY_HEADLINES: Readonly<Record<string, string>> = {
  'key.expiring': 'expires soon',
  'key.expired': 'has expired',
  'key.deactivated': 'was deactivated',
  'key.reactivated': 'was activated again',
  'key.deleted': 'was deleted',
  'key.leaked': 'secret found in public',
  'key.unused': 'is not used any more',
  'key.policy_warning': 'will be deactivated',
  'key.rotation_due': 'secret is due for rotation',
};

/** Actors are tokens by their id, which says nothing to a reader, or schedules and people by name. */
const IS_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const REPEATS_EXPIRY = /^expired at \d{4}-/;

/** Dates and reasons of a key event, for the table below the sentence. */
export function keyDataFacts(data: KeyData, clock: Clock): Fact[] {
  const times: [string, unknown][] = [
    ['Expires', data.expires_at],
    ['Secret since', data.secret_since],
    ['Due since', data.due_since],
    ['Last used', data.last_used_at],
    ['Deactivated on', data.acts_at],
  ];
  const facts: Fact[] = times
    .filter(([, at]) => text(at) !== '')
    .map(([label, at]) => ({ label, value: [fullMoment(text(at), clock)] }));
  if (typeof data.successor_key_id === 'string') {
    const successor = data.successor_key_id === '' ? 'none yet' : code(data.successor_key_id);
    facts.push({ label: 'Successor', value: [successor] });
  }
  if (text(data.policy) !== '') facts.push({ label: 'Policy', value: [name(text(data.policy))] });
  if (text(data.reason) !== '' && !REPEATS_EXPIRY.test(text(data.reason)))
    facts.push({ label: 'Reason', value: [reason(text(data.reason))] });
  if (text(data.actor) !== '' && !IS_ID.test(text(data.actor)))
    facts.push({ label: 'By', value: [name(text(data.actor))] });
  return facts;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function inDays(days: number): string {
  return days <= 0 ? 'today' : days === 1 ? 'tomorrow' : `in ${countOf(days, 'day')}`;
}

function when(at: unknown, clock: Clock): string {
  return text(at) === '' ? '' : ` ${atMoment(text(at), clock)}`;
}

function because(why: unknown): Phrase {
  return text(why) === '' ? [] : [': ', reason(text(why))];
}

/** As the policy that found it says: `not used since 2026-08-01 (112 days)`. */
function unusedFor(data: KeyData, clock: Clock): Phrase {
  if (text(data.because) !== '') return ['was ', reason(text(data.because))];
  const lastUsed = text(data.last_used_at);
  if (lastUsed === '') return ['has not been used for a long time'];
  return [`has not been used for ${countOf(daysBetween(Date.parse(lastUsed), clock.nowMs), 'day')}`];
}
