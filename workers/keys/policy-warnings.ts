import type { Store } from '../clickhouse/store.ts';
import type { KeyEvent } from './events.ts';
import { nextWarning, type Policy, presentEpisode } from './policy.ts';
import { because, type Candidate } from './policy-candidates.ts';

const LOOKUP_CHUNK = 1_000;

/** What a run is to do with its candidates: warn some, act on others, wait for the rest. */
export async function sortByStep(
  store: Store,
  policy: Policy,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<{ warnings: KeyEvent[]; act: Candidate[] }> {
  const given = policy.warn_days.length === 0 ? new Map() : await warningsGiven(store, policy, candidates);
  const warnings: KeyEvent[] = [];
  const act: Candidate[] = [];
  for (const key of candidates) {
    const { episode, warnedAtMs } = presentEpisode(
      policy.warn_days,
      given.get(baseOf(policy, key)) ?? new Map(),
      nowMs,
    );
    const step = nextWarning(policy.warn_days, warnedAtMs, nowMs);
    if (step.kind === 'act') act.push(key);
    else if (step.kind === 'warn') warnings.push(warningOf(policy, key, { ...step, episode }, nowMs));
  }
  return { warnings, act };
}

/** A key that was changed or used in between starts anew: its version and its last use are part of the warning's id. */
const baseOf = (policy: Policy, key: Pick<Candidate, 'key_id' | 'version' | 'last_used_ms'>) =>
  `${key.key_id}${ofPolicy(policy)}${key.version}@${key.last_used_ms}@`;
const ofPolicy = (policy: Policy) => `@policy@${policy.policy_id}@`;

function warningOf(
  policy: Policy,
  key: Candidate,
  step: { days: number; actsAtMs: number; episode: string },
  nowMs: number,
): KeyEvent {
  return {
    id: `${baseOf(policy, key)}${step.days}${step.episode && `@${step.episode}`}`,
    at: new Date(nowMs).toISOString(),
    key_id: key.key_id,
    organization_id: key.organization_id,
    type: policy.kind === 'unused' ? 'key.unused' : 'key.policy_warning',
    data: {
      name: key.name,
      policy_id: policy.policy_id,
      policy: policy.name,
      kind: policy.kind,
      because: because(policy, key, nowMs),
      days_left: step.days,
      acts_at: new Date(step.actsAtMs).toISOString(),
    },
  };
}

async function warningsGiven(
  store: Store,
  policy: Policy,
  candidates: readonly Candidate[],
): Promise<Map<string, Map<string, Map<number, number>>>> {
  const given = new Map<string, Map<string, Map<number, number>>>();
  for (let at = 0; at < candidates.length; at += LOOKUP_CHUNK) {
    const rows = await store.queryWriter<{ key_id: string; id: string; at_ms: number }>(
      `SELECT key_id, id, toUnixTimestamp64Milli(min(at)) AS at_ms FROM key_events
       WHERE key_id IN {key_ids:Array(String)} AND startsWith(id, concat(key_id, {of_policy:String})) GROUP BY key_id, id`,
      {
        of_policy: ofPolicy(policy),
        key_ids: candidates.slice(at, at + LOOKUP_CHUNK).map((key) => key.key_id),
      },
    );
    for (const { key_id, id, at_ms } of rows) {
      // Keys may have any character in their id, so it is cut off by its length.
      const [version, lastUsedMs, days, episode = ''] = id.slice(key_id.length + ofPolicy(policy).length).split('@');
      const base = `${key_id}${ofPolicy(policy)}${version}@${lastUsedMs}@`;
      const episodes = given.get(base) ?? new Map<string, Map<number, number>>();
      given.set(base, episodes.set(episode, (episodes.get(episode) ?? new Map()).set(Number(days), at_ms)));
    }
  }
  return given;
}
