import { WARNING_HOLDS_MS } from '../../keys/policy.ts';
import type { AlertKind } from '../alert.ts';
import { findStates, writeAlertEvents } from '../evaluation/event-store.ts';
import { noFacts, readKeyFacts } from '../evaluation/key-facts.ts';
import type { LimitParts } from '../limits/look.ts';
import { handOver } from '../outbox.ts';
import { isOpen } from '../state.ts';
import { KEY_EVENT_KINDS, keyAlertEnd, WARNING_SCOPE } from './key-alert.ts';

/** Alerts ended by one look; the rest follows in the next. */
const MAX_ENDED = 5_000;
/** A leak that a policy acts on at once has left for its readers by then: what is over before its message left is not told. */
const LEAK_TOLD_MS = 60_000;

/** A warning whose policy is gone, off or exempts the key, or whose day passed without the policy acting. `p` is the policy. */
const IS_CALLED_OFF = `a.policy_id != '' AND (p.policy_id = '' OR NOT p.enabled OR has(p.exempt_key_ids, a.key_id))
    OR a.acts_ms > 0 AND a.acts_ms + ${WARNING_HOLDS_MS} < {now:Int64}`;

/**
 * When what an alert speaks of is over, by kind: told from the registry as it stands, so that it does not matter which way
 * the key got there. `k` is the key, `a` the alert's newest row with the time of its event, not of a repeat; `u` the key's use.
 */
const IS_OVER: Partial<Record<AlertKind, string>> = {
  key_expiring: `k.status != 'active' OR k.expires_at IS NULL
    OR toUnixTimestamp64Milli(k.expires_at) != toUnixTimestamp64Milli(parseDateTime64BestEffortOrZero(JSONExtractString(a.evidence, 'key', 'expires_at'), 3, 'UTC'))`,
  key_expired: `k.status = 'active'`,
  key_deactivated: `if(a.scope = '${WARNING_SCOPE}', k.status != 'active' OR k.updated_at > a.at OR ${IS_CALLED_OFF}, k.status != 'inactive')`,
  key_unused: `k.status != 'active' OR k.updated_at > a.at OR u.last_at > a.at OR ${IS_CALLED_OFF}`,
  rotation_due: `k.status != 'active' OR toUnixTimestamp64Milli(ifNull(k.rotated_at, k.created_at))
    != toUnixTimestamp64Milli(parseDateTime64BestEffortOrZero(JSONExtractString(a.evidence, 'key', 'secret_since'), 3, 'UTC'))`,
  key_leaked: `k.leaked_at IS NULL OR k.status != 'active' AND a.recorded_ms <= {now:Int64} - ${LEAK_TOLD_MS}`,
};

const conditions = Object.entries(IS_OVER)
  .map(([kind, condition]) => `(a.kind = '${kind}' AND (${condition}))`)
  .join('\n      OR ');

/** Keys that ever had such an alert: a few of all, and only they are joined. */
const TOLD =
  "SELECT key_id FROM alert_events WHERE kind IN {kinds:Array(String)} AND phase = 'firing' AND at >= fromUnixTimestamp64Milli({since:Int64})";

const OVER = `SELECT a.alert_key AS alert_key
  FROM (SELECT alert_key, kind, scope, key_id, argMax(phase, (e.at, recorded_at)) AS phase, argMax(evidence, (e.at, recorded_at)) AS evidence,
          fromUnixTimestamp64Milli(JSONExtractInt(argMax(state, (e.at, recorded_at)), 'lastAtMs'), 'UTC') AS at,
          toUnixTimestamp64Milli(max(recorded_at)) AS recorded_ms, JSONExtractString(evidence, 'key', 'policy_id') AS policy_id,
          toUnixTimestamp64Milli(parseDateTime64BestEffortOrZero(JSONExtractString(evidence, 'key', 'acts_at'), 3, 'UTC')) AS acts_ms
        FROM alert_events AS e WHERE kind IN {kinds:Array(String)} AND e.at >= fromUnixTimestamp64Milli({since:Int64})
        GROUP BY alert_key, kind, scope, key_id HAVING phase = 'firing') AS a
  INNER JOIN (SELECT * FROM keys FINAL WHERE key_id IN (${TOLD})) AS k ON k.key_id = a.key_id
  LEFT JOIN (SELECT key_id, tupleElement(max(t.last_used), 'at') AS last_at FROM key_totals AS t
             WHERE key_id IN (${TOLD}) GROUP BY key_id) AS u ON u.key_id = a.key_id
  LEFT JOIN (SELECT policy_id, enabled, exempt_key_ids FROM policies FINAL WHERE NOT deleted) AS p ON p.policy_id = a.policy_id
  WHERE k.deleted OR ${conditions}
  ORDER BY alert_key LIMIT ${MAX_ENDED}`;

const SAID: Partial<Record<AlertKind, string>> = {
  key_expiring: 'The expiry of the key was changed, or it is no longer active.',
  key_expired: 'The key is active again, or was deleted.',
  key_deactivated: 'The key is active again, was deleted, or the policy no longer means it.',
  key_unused: 'The key was used or changed, is no longer active, or the policy no longer means it.',
  rotation_due: 'The secret of the key was replaced, or the key is no longer active.',
  key_leaked: 'The secret of the key was replaced, or the key is no longer active.',
};

/** Ends alerts of key events whose reason is gone. @returns how many */
export async function endKeyAlerts(
  { store, delivery, alertsKeptMs, confirm }: LimitParts,
  nowMs: number,
): Promise<number> {
  const params = { kinds: KEY_EVENT_KINDS, now: nowMs, since: nowMs - alertsKeptMs };
  const over = await store.query<{ alert_key: string }>(OVER, params);
  if (over.length === 0) return 0;
  const known = await findStates(
    store,
    over.map((row) => row.alert_key),
  );
  const open = [...known.values()].filter((one) => isOpen(one.state.phase));
  const facts = await readKeyFacts(store, [...new Set(open.map((one) => one.keyId))]);
  const recordedAt = new Date().toISOString();
  const events = open.map((one) => {
    // Not before the event itself: its time may lie a little ahead of the slot.
    const atMs = Math.max(nowMs, one.rowAtMs + 1);
    return keyAlertEnd(
      one,
      facts.get(one.keyId) ?? noFacts(one.keyId),
      atMs,
      recordedAt,
      SAID[one.kind] ?? 'It is over.',
    );
  });
  await confirm?.();
  await writeAlertEvents(store, events);
  await handOver(delivery, events);
  return events.length;
}
