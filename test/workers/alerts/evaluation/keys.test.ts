import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EvaluatedStack, startEvaluatedStack } from '../../../support/evaluated-stack.ts';
import type { Stack } from '../../../support/stack.ts';

let evaluated: EvaluatedStack;
let stack: Stack;
let look: EvaluatedStack['look'];

beforeAll(async () => {
  evaluated = await startEvaluatedStack();
  ({ stack, look } = evaluated);
});
afterAll(() => evaluated.stop());

interface EventRow {
  kind: string;
  scope: string;
  transition: string;
  notify: string;
  withheld: string;
  severity: string;
  evidence: { summary: string; limit?: { stepPercent: number; used: number; fullAt?: string } };
}
async function events(keyId: string): Promise<EventRow[]> {
  const rows = await stack.store.query<EventRow & { evidence: string }>(
    'SELECT kind, scope, transition, notify, withheld, severity, evidence FROM alert_events FINAL WHERE key_id = {key_id:String} ORDER BY at, kind, scope',
    { key_id: keyId },
  );
  return rows.map((row) => ({ ...row, evidence: JSON.parse(row.evidence) }));
}
const brief = async (keyId: string) =>
  (await events(keyId)).map((row) => [row.kind, row.scope, row.transition, row.notify, row.severity].join(' '));

const put = (keyId: string, body: object) => stack.call(`/v1/keys/${keyId}`, { method: 'PUT', body });
let sent = 0;
async function send(keyId: string, count: number, at = Date.now()): Promise<void> {
  await stack.send(Array.from({ length: count }, () => ({ key_id: keyId, path: '/', status: 200, timestamp: at })));
  await stack.untilCounted((sent += count));
}

test('a daily limit: each step is told once, a repeated look changes nothing, a raised limit ends it', async () => {
  await put('daily', { limits: { per_day: 1_000 } });
  await send('daily', 700);
  await look(Date.now());
  expect(await events('daily')).toEqual([]);
  await send('daily', 110);
  await look(Date.now());
  await look(Date.now());
  expect(await brief('daily')).toEqual(['near_limit day opened opened info']);
  await send('daily', 200);
  await look(Date.now());
  await look(Date.now());
  expect(await brief('daily')).toEqual([
    'near_limit day opened opened info',
    'near_limit day severity_raised severity_raised critical',
  ]);
  const [first, second] = await events('daily');
  expect(first!.evidence.summary).toMatch(/^81 % of its daily limit is used: 810 of 1,000 requests\./);
  expect(second!.evidence.limit).toMatchObject({ stepPercent: 100, used: 1_010, limit: 1_000 });
  await put('daily', { limits: { per_day: 100_000 } });
  await look(Date.now());
  expect((await brief('daily')).at(-1)).toBe('near_limit day resolved resolved critical');
});

test('limits per minute and per second', async () => {
  await put('short', { limits: { per_minute: 100, burst: 50 } });
  const at = Date.now();
  await send('short', 95, at);
  await look(at);
  expect((await brief('short')).sort()).toEqual([
    'near_limit burst opened opened critical',
    'near_limit minute opened opened warning',
  ]);
  await look(at + 3 * 60_000);
  expect((await brief('short')).filter((row) => row.includes('resolved'))).toHaveLength(2);
});

test('events of keys become alerts once each, and end when the registry says so', async () => {
  const soon = new Date(Date.now() + 5 * 86_400_000).toISOString();
  await put('ending', { name: 'Ending', expires_at: soon });
  await put('leaked', {});
  await stack.call('/v1/keys/leaked/report-leak', { method: 'POST', body: { reason: 'found in a repository' } });
  await stack.call('/v1/keys/ending/deactivate', { method: 'POST', body: { reason: 'test' } });
  await look(Date.now());
  await look(Date.now() + 1);
  expect(await brief('ending')).toEqual(['key_deactivated  opened opened warning']);
  expect(await brief('leaked')).toEqual(['key_leaked  opened opened critical']);
  await stack.call('/v1/keys/ending/reactivate', { method: 'POST', body: {} });
  const minute = Math.ceil(Date.now() / 60_000) * 60_000;
  await look(minute);
  expect(await brief('ending')).toEqual([
    'key_deactivated  opened opened warning',
    'key_deactivated  resolved resolved warning',
  ]);
  await stack.call('/v1/keys/leaked/regenerate', { method: 'POST', body: { sha256: 'b'.repeat(64) } });
  await look(minute + 60_000);
  expect((await brief('leaked')).at(-1)).toBe('key_leaked  resolved resolved critical');
});
