import { describe, expect, test } from 'vitest';
import { nextVersion } from '../../../workers/keys/change.ts';
import { blankKey, type RegisteredKey } from '../../../workers/keys/key.ts';
import { decide, type LifecycleState, type Outcome, type Wish } from '../../../workers/keys/lifecycle.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const PAST = '2026-11-20T11:59:59.000Z';
const FUTURE = '2026-12-20T12:00:00.000Z';
const LATER = '2027-01-20T12:00:00.000Z';

const key = (status: LifecycleState['status'], expires_at: string | null = null, deleted = false): LifecycleState => ({
  status,
  expires_at,
  deleted,
});
const deactivate: Wish = { kind: 'deactivate', reason: 'spam' };
const expire: Wish = { kind: 'expire' };
const remove: Wish = { kind: 'delete', reason: 'gone' };
const reactivate = (expiresAt?: string | null): Wish => ({ kind: 'reactivate', reason: 'sorry', expiresAt });

type Expected = 'unchanged' | `refused ${string}` | `${string} ${string}>${string}`;

function shortOf(outcome: Outcome): string {
  if (outcome.kind === 'unchanged') return 'unchanged';
  if (outcome.kind === 'refused') return `refused ${outcome.field}`;
  return `${outcome.action} ${outcome.before}>${outcome.after}`;
}

const TABLE: [name: string, LifecycleState, Wish, Expected][] = [
  ['active, deactivated', key('active'), deactivate, 'key.deactivated active>inactive'],
  ['inactive, deactivated again', key('inactive'), deactivate, 'unchanged'],
  ['expired, deactivated', key('expired', PAST), deactivate, 'refused status'],
  ['deleted, deactivated', key('active', null, true), deactivate, 'refused status'],
  ['active and due', key('active', PAST), expire, 'key.expired active>expired'],
  ['active, exactly now', key('active', new Date(NOW).toISOString()), expire, 'key.expired active>expired'],
  ['active, a millisecond early', key('active', new Date(NOW + 1).toISOString()), expire, 'unchanged'],
  ['active, expiry moved away', key('active', FUTURE), expire, 'unchanged'],
  ['active, expiry taken off', key('active', null), expire, 'unchanged'],
  ['inactive and due', key('inactive', PAST), expire, 'unchanged'],
  ['expired, due again', key('expired', PAST), expire, 'unchanged'],
  ['deleted and due', key('active', PAST, true), expire, 'unchanged'],
  ['inactive, reactivated', key('inactive'), reactivate(), 'key.reactivated inactive>active'],
  ['inactive, expiry ahead', key('inactive', FUTURE), reactivate(), 'key.reactivated inactive>active'],
  ['inactive, expiry passed', key('inactive', PAST), reactivate(), 'refused expires_at'],
  ['expired, no new expiry', key('expired', PAST), reactivate(), 'refused expires_at'],
  ['expired, new expiry', key('expired', PAST), reactivate(FUTURE), 'key.reactivated expired>active'],
  ['expired, never to expire again', key('expired', PAST), reactivate(null), 'key.reactivated expired>active'],
  ['expired, new expiry in the past', key('expired', PAST), reactivate(PAST), 'refused expires_at'],
  ['active, reactivated', key('active', FUTURE), reactivate(), 'unchanged'],
  ['active, same expiry', key('active', FUTURE), reactivate(FUTURE), 'unchanged'],
  ['active, other expiry', key('active', FUTURE), reactivate(LATER), 'refused expires_at'],
  ['deleted, reactivated', key('inactive', null, true), reactivate(), 'refused status'],
  ['active, deleted', key('active'), remove, 'key.deleted active>active'],
  ['expired, deleted', key('expired', PAST), remove, 'key.deleted expired>expired'],
  ['deleted, deleted again', key('active', null, true), remove, 'unchanged'],
];

describe('the status machine', () => {
  test.each(TABLE)('%s', (_name, state, wish, expected) => {
    expect(shortOf(decide(state, wish, NOW))).toBe(expected);
  });

  test('every transition names its reason, and a repeat of it changes nothing', () => {
    for (const [, state, wish] of TABLE) {
      const outcome = decide(state, wish, NOW);
      if (outcome.kind !== 'changed') continue;
      expect(outcome.reason).not.toBe('');
      expect(decide({ ...state, ...outcome.fields } as LifecycleState, wish, NOW).kind).toBe('unchanged');
    }
  });

  test('the new expiry is stored with the reactivation', () => {
    const outcome = decide(key('expired', PAST), reactivate(FUTURE), NOW);
    expect(outcome).toMatchObject({ fields: { status: 'active', status_reason: '', expires_at: FUTURE } });
  });
});

describe('the secret of the next version', () => {
  const CREATED = '2026-01-01T00:00:00.000Z';
  const LEAKED = '2026-11-01T00:00:00.000Z';
  const now = new Date(NOW).toISOString();
  const [old, fresh] = ['a'.repeat(64), 'b'.repeat(64)];
  const present = { ...blankKey('k', CREATED), version: 1, sha256: old, leaked_at: LEAKED, rotated_at: CREATED };

  test.each<[string, Partial<RegisteredKey>, Partial<RegisteredKey>, string | null, string | null]>([
    ['replaced', {}, { sha256: fresh }, null, now],
    ['replaced, with the time of it', {}, { sha256: fresh, rotated_at: PAST }, null, PAST],
    ['replaced, no time known', {}, { sha256: fresh, rotated_at: null }, null, now],
    ['of a deleted key, registered again with another', { deleted: true }, { sha256: fresh }, null, now],
    ['of a deleted key, registered again', { deleted: true }, { name: 'Back' }, LEAKED, CREATED],
    ['the same', {}, { sha256: old }, LEAKED, CREATED],
    ['not spoken of', {}, { name: 'Other' }, LEAKED, CREATED],
    ['told for the first time', { sha256: '', leaked_at: null }, { sha256: fresh }, null, CREATED],
  ])('%s', (_name, before, fields, leaked_at, rotated_at) => {
    const base = { ...present, ...before };
    const change = { fields, action: 'key.updated' as const, actor: 'me', reason: '' };
    expect(nextVersion(base, base, change, now)).toMatchObject({ leaked_at, rotated_at });
  });
});
