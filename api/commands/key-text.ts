import type { z } from 'zod';
import type { KeyResponse } from '../schemas.ts';
import { facts, table } from './table.ts';
import { ago, clock, count, masked, moment, percent } from './wording.ts';

/** A key as the api answers it. */
export type Key = z.infer<typeof KeyResponse>;

/** A page of the list of keys. */
export interface KeyPage {
  data: Key[];
  next_cursor: string | null;
}

/** A page of a key's history. */
export interface History {
  data: {
    at: string;
    action: string;
    actor: string;
    reason: string;
    before: Record<string, unknown> | null;
    after: Record<string, unknown> | null;
  }[];
  next_cursor: string | null;
}

const LIST = [
  { title: 'key', whole: true },
  { title: 'name' },
  { title: 'secret' },
  { title: 'organization' },
  { title: 'environment' },
  { title: 'status' },
  { title: 'expires' },
  { title: 'last used' },
  { title: 'requests', right: true },
  { title: '30 days', right: true },
  { title: 'errors', right: true },
];

/** The list as a table. @param more how the next page is asked for */
export function keysText({ data }: KeyPage, more: string): string {
  if (data.length === 0) return 'no such keys\n';
  const rows = data.map((key) => [
    key.key_id,
    key.name,
    masked(key.prefix),
    key.organization_id,
    key.environment,
    key.status,
    ago(key.expires_at),
    ago(key.last_used?.at) || 'never',
    count(key.total_requests),
    count(key.requests_30d),
    key.requests_30d === 0 ? '–' : percent(key.error_rate_30d),
  ]);
  return table(LIST, rows) + more;
}

/** One key, a line per fact. */
export function keyText(key: Key): string {
  const { last_used: last, owner, limits, utilization } = key;
  const limit = (name: 'per_minute' | 'per_day' | 'per_month') => {
    const used = utilization?.[name] ?? null;
    return limits[name] === null ? '' : count(limits[name]) + (used === null ? '' : `, ${percent(used)} used`);
  };
  return facts([
    ['key', key.key_id],
    ['name', key.name],
    ['description', key.description],
    ['secret', masked(key.prefix)],
    ['status', [key.status, key.status_reason].filter((text) => text !== '').join(', ')],
    ['  since', moment(key.status_changed_at)],
    ['organization', key.organization_id],
    ['customer', key.customer_id],
    ['owner', [owner.name, owner.email && `<${owner.email}>`].filter((text) => text !== '').join(' ')],
    ['kind', key.kind],
    ['environment', key.environment],
    ['scopes', key.scopes.join(' ')],
    ['plan', key.plan],
    ['limit per minute', limit('per_minute')],
    ['limit per day', limit('per_day')],
    ['limit per month', limit('per_month')],
    ['burst', limits.burst === null ? '' : count(limits.burst)],
    ['created', moment(key.created_at)],
    ['expires', moment(key.expires_at)],
    ['rotated', moment(key.rotated_at)],
    ['leaked', moment(key.leaked_at)],
    ['successor', key.successor_key_id],
    ['tracked since', moment(key.tracking_since)],
    ['last used', last ? `${moment(last.at)} ${last.method} ${last.route} ${last.status} ${last.country}` : 'never'],
    ['requests', count(key.total_requests)],
    ['in 30 days', count(key.requests_30d)],
    ['  errors', key.requests_30d === 0 ? '' : percent(key.error_rate_30d)],
    ['version', String(key.version)],
  ]);
}

/** What was done to a key as a table. @param more how the next page is asked for */
export function historyText({ data }: History, more: string): string {
  if (data.length === 0) return 'nothing was done to this key yet\n';
  const columns = [
    { title: 'at' },
    { title: 'action' },
    { title: 'by' },
    { title: 'reason' },
    { title: 'changes', whole: true },
  ];
  const rows = data.map((entry) => [
    clock(entry.at),
    entry.action,
    entry.actor,
    entry.reason,
    entry.before === null ? '' : changesText(entry.before, entry.after ?? {}),
  ]);
  return table(columns, rows) + more;
}

function changesText(before: Record<string, unknown>, after: Record<string, unknown>): string {
  const said = (value: unknown) => (typeof value === 'string' && value !== '' ? value : JSON.stringify(value ?? null));
  return Object.keys({ ...before, ...after })
    .map((field) => `${field} ${said(before[field])} → ${said(after[field])}`)
    .join(', ');
}
