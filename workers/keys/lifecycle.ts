import type { KeyStatus, RegisteredKey } from './key.ts';

/** What somebody or something wants of a key's status. */
export type Wish =
  | { kind: 'deactivate'; reason: string }
  | { kind: 'expire' }
  /** `expiresAt`: the new expiry, null = none any more, undefined = keep the present one. */
  | { kind: 'reactivate'; reason: string; expiresAt?: string | null }
  | { kind: 'delete'; reason: string };

/** What the status machine looks at. */
export type LifecycleState = Pick<RegisteredKey, 'status' | 'expires_at' | 'deleted'>;

export type Outcome =
  | {
      kind: 'changed';
      action: 'key.deactivated' | 'key.expired' | 'key.reactivated' | 'key.deleted';
      reason: string;
      before: KeyStatus;
      after: KeyStatus;
      fields: Partial<RegisteredKey>;
    }
  /** The key is already as wished: nothing is written. */
  | { kind: 'unchanged' }
  /** `field`: the part of the wish that stands in the way. */
  | { kind: 'refused'; field: 'status' | 'expires_at'; message: string };

const UNCHANGED: Outcome = { kind: 'unchanged' };

/**
 * The status machine: active → inactive or expired → active; a deleted key stays as it was.
 * Pure: what happens depends on the key, the wish and the time only.
 */
export function decide(key: LifecycleState, wish: Wish, nowMs: number): Outcome {
  if (key.deleted) {
    return wish.kind === 'delete' || wish.kind === 'expire' ? UNCHANGED : refused('status', 'the key is deleted');
  }
  switch (wish.kind) {
    case 'deactivate':
      return deactivate(key, wish.reason);
    case 'expire':
      return expire(key, nowMs);
    case 'reactivate':
      return reactivate(key, wish, nowMs);
    case 'delete':
      return changed('key.deleted', wish.reason, key.status, key.status, { deleted: true });
  }
}

function deactivate(key: LifecycleState, reason: string): Outcome {
  if (key.status === 'inactive') return UNCHANGED;
  if (key.status === 'expired') return refused('status', 'the key has expired already');
  return changed('key.deactivated', reason, 'active', 'inactive', { status: 'inactive', status_reason: reason });
}

/** Only what is active and past its expiry: an expiry that was edited meanwhile is no longer due. */
function expire(key: LifecycleState, nowMs: number): Outcome {
  if (key.status !== 'active' || !isPast(key.expires_at, nowMs)) return UNCHANGED;
  const reason = `expired at ${key.expires_at}`;
  return changed('key.expired', reason, 'active', 'expired', { status: 'expired', status_reason: reason });
}

function reactivate(key: LifecycleState, wish: Extract<Wish, { kind: 'reactivate' }>, nowMs: number): Outcome {
  const expiresAt = wish.expiresAt === undefined ? key.expires_at : wish.expiresAt;
  if (isPast(expiresAt, nowMs)) {
    const what = wish.expiresAt === undefined ? 'the expiry has passed: give a new one' : 'must be in the future';
    return refused('expires_at', what);
  }
  if (key.status === 'active') {
    return sameTime(expiresAt, key.expires_at)
      ? UNCHANGED
      : refused('expires_at', 'the key is active; change its expiry with PUT');
  }
  return changed('key.reactivated', wish.reason, key.status, 'active', {
    status: 'active',
    status_reason: '',
    expires_at: expiresAt,
  });
}

/** Whether an expiry has passed; a key without one never expires. */
export function isPast(expiresAt: string | null, nowMs: number): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs;
}

function sameTime(one: string | null, other: string | null): boolean {
  return one === null || other === null ? one === other : Date.parse(one) === Date.parse(other);
}

function changed(
  action: Extract<Outcome, { kind: 'changed' }>['action'],
  reason: string,
  before: KeyStatus,
  after: KeyStatus,
  fields: Partial<RegisteredKey>,
): Outcome {
  return { kind: 'changed', action, reason, before, after, fields };
}

function refused(field: 'status' | 'expires_at', message: string): Outcome {
  return { kind: 'refused', field, message };
}
