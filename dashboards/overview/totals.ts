import type { UsageGroup } from '../http/contract/usage.ts';
import type { TrafficTotals } from '../panels/traffic-totals.ts';

/** Keys beyond these are in the totals, but in no list of keys. */
export const LISTED_KEYS = 500;

/** Whether keys are missing from a list: of those, nothing is known, and not that they sent nothing. */
export function isCut(groups: readonly UsageGroup[]): boolean {
  return groups.length >= LISTED_KEYS;
}

export function totalsOfGroups(groups: readonly UsageGroup[]): TrafficTotals {
  const sum = (field: 'requests' | 'client_errors' | 'server_errors') =>
    groups.reduce((total, group) => total + group[field], 0);
  const requests = sum('requests');
  const client_errors = sum('client_errors');
  const server_errors = sum('server_errors');
  return {
    requests,
    client_errors,
    server_errors,
    error_rate: requests ? (client_errors + server_errors) / requests : null,
  };
}

/** From here on a key's error rate deserves a look. */
const HIGH_RATE = 0.05;
/** One failed request of two is 50 %, and says nothing. */
const ENOUGH_REQUESTS = 20;

export function failingGroups(groups: readonly UsageGroup[]): UsageGroup[] {
  return groups
    .filter((group) => group.requests >= ENOUGH_REQUESTS && group.error_rate >= HIGH_RATE)
    .sort((a, b) => b.error_rate - a.error_rate || b.requests - a.requests);
}

export function groupsByName(groups: readonly UsageGroup[] | undefined): Map<string, UsageGroup> {
  return new Map((groups ?? []).map((group) => [group.group, group]));
}

export interface Mover {
  group: string;
  requests: number;
  before: number;
}

/** A change smaller than this share of all requests moves nothing. */
const SMALLEST_MOVE = 0.005;

/**
 * Keys whose requests changed most since the period before, in requests: +900% of two requests is no news. One that is
 * missing from a cut list is left out: it may have changed by nothing.
 */
export function moversOf(groups: readonly UsageGroup[], before: readonly UsageGroup[], count: number): Mover[] {
  const earlier = groupsByName(before);
  const now = groupsByName(groups);
  const total = groups.reduce((sum, group) => sum + group.requests, 0);
  return [...new Set([...now.keys(), ...earlier.keys()])]
    .filter((group) => (now.has(group) || !isCut(groups)) && (earlier.has(group) || !isCut(before)))
    .map((group) => ({
      group,
      requests: now.get(group)?.requests ?? 0,
      before: earlier.get(group)?.requests ?? 0,
    }))
    .filter((mover) => Math.abs(mover.requests - mover.before) > total * SMALLEST_MOVE)
    .sort((a, b) => Math.abs(b.requests - b.before) - Math.abs(a.requests - a.before) || (a.group < b.group ? -1 : 1))
    .slice(0, count);
}
