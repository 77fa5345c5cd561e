import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Redis } from '../../../../ingest/redis.ts';
import { connectRedis } from '../../../../ingest/redis.ts';
import { ALERT_KINDS } from '../../../../workers/alerts/alert.ts';
import { mailText } from '../../../../workers/alerts/channels/message/mail-text.ts';
import { noticeOf } from '../../../../workers/alerts/delivery/compose-message.ts';
import { readAlertEvents } from '../../../../workers/alerts/delivery/deliveries.ts';
import type { EvaluationLane } from '../../../../workers/alerts/evaluation/evaluation-queue.ts';
import { openDeliveryQueue } from '../../../../workers/alerts/outbox.ts';
import { brokenAlertLogs } from '../../../support/alert-log.ts';
import { runSlot, UNSCHEDULED } from '../../../support/evaluated-stack.ts';
import { type Stack, startStack } from '../../../support/stack.ts';
import { sampleMessage, sampleModel } from '../channels/sample-messages.ts';
import { STORIES, type Story } from './stories.ts';

/**
 * Every kind of alert from the first HTTP request to the job that routes it to channels: records and keys come in by HTTP, the
 * evaluation runs over the real engine, what is judged on traffic is also asked of the preview. Only ages are written past the
 * edge: nobody can have known a key for two months in a test.
 */
const BUCKET_MS = 300_000;
const DAY_MS = 86_400_000;
/** A full hour; the windows judged are those of the hour that begins then, and a little more. */
const HOUR = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3 * 3_600_000;
const LAST_BUCKET = 15;
/** Records that the story of the limit sends by itself. */
const SENT_BEFORE = 85;
let stack: Stack;
let redis: Redis;

interface EventRow {
  event_id: string;
  alert_key: string;
  key_id: string;
  kind: string;
  scope: string;
  transition: string;
  notify: string;
  severity: string;
  at: string;
  evidence: string;
}
const events = (kind: string, keyId: string) =>
  stack.store.query<EventRow>(
    `SELECT event_id, alert_key, key_id, kind, scope, transition, notify, severity, at, evidence FROM alert_events FINAL
     WHERE kind = {kind:String} AND key_id = {key_id:String} AND transition != '' ORDER BY at, scope`,
    { kind, key_id: keyId },
  );

const run = (lane: EvaluationLane, nowMs: number) => runSlot(redis, lane, nowMs);

beforeAll(async () => {
  stack = await startStack({
    // Records of six weeks ago are counted once they are in; a merge must not take them away before.
    RETENTION_REQUESTS_DAYS: '60',
    ...UNSCHEDULED,
    KEY_SWEEP_CRON: '* * * * * *',
    KEY_POLICY_CRON: '* * * * * *',
  });
  redis = await connectRedis(stack.redisUrl, 'worker', () => {});
  const stories = Object.values(STORIES);
  for (const story of stories) await story.prepare?.(stack);
  const records = stories.flatMap((story) => story.records?.(HOUR) ?? []);
  for (let at = 0; at < records.length; at += 10_000) await stack.send(records.slice(at, at + 10_000));
  await stack.untilCounted(SENT_BEFORE + records.length);
  const since = new Date(Date.now() - 60 * DAY_MS).toISOString();
  const aged = stories.flatMap((story) => story.aged ?? []);
  await stack.store.insertRows(
    'key_totals',
    aged.map((key_id) => ({ key_id, requests: 0, first_seen: since, tracking_since: since })),
  );
  for (let bucket = 0; bucket <= LAST_BUCKET; bucket++) await run('buckets', HOUR + (bucket + 1) * BUCKET_MS + 61_000);
}, 400_000);
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

test('no kind is missing here', () => {
  // error_rate has a file of its own: mission.test.ts.
  expect([...Object.keys(STORIES), 'error_rate'].sort()).toEqual([...ALERT_KINDS].sort());
});

test.each(Object.entries(STORIES))('%s', async (kind, story) => {
  if (!story.records) {
    const isThere = async () => {
      await run('limits', Date.now());
      return (await events(kind, story.keyId)).length > 0;
    };
    await expect.poll(isThere, { interval: 300 }).toBe(true);
  }
  const [opened, ...more] = await events(kind, story.keyId);
  expect(opened, 'opened').toMatchObject({ transition: 'opened', notify: 'opened', ...story.opens });
  const evidence = JSON.parse(opened!.evidence);
  expect(evidence.summary).toMatch(story.says);
  if (story.evidence) expect(evidence).toMatchObject(story.evidence);
  expect(
    more.map((row) => [row.transition, row.notify]),
    'afterwards',
  ).toEqual(story.afterwards ?? []);
  await expectRouted(opened!);
  expectReadable(await mailOf(opened!), story);
  if (story.records) await expectPreviewed(kind, story, opened!, evidence.summary);
});

test('the log of alerts holds together', async () => {
  expect(await brokenAlertLogs(stack.store)).toEqual([]);
});

test('a preview says when the past it would judge is not kept any more', async () => {
  await stack.store.command('TRUNCATE TABLE usage_minute');
  const rule = { name: 'slow', kind: 'latency', key_id: 'search' };
  const { json } = await stack.call('/v1/alert-rules/preview', { method: 'POST', body: { rule, days: 1 } });
  expect(json).toMatchObject({ fired: 0, cut: expect.stringContaining('not stored any more') });
});

/** The job that tells people is there under the event's own id. */
async function expectRouted({ event_id }: EventRow): Promise<void> {
  const delivery = openDeliveryQueue(redis);
  const job = await delivery.getJob(`route_${event_id}`);
  expect(job?.data).toMatchObject({ kind: 'route', event_id });
  await delivery.close();
}

/** The plain part of the mail about this step, as it would leave. */
async function mailOf(step: EventRow): Promise<string> {
  const refs = [{ event_id: step.event_id, alert_key: step.alert_key }];
  const event = (await readAlertEvents(stack.store, refs)).get(step.event_id)!;
  const message = sampleMessage([noticeOf(event, event.notify, undefined)]);
  const model = sampleModel(message);
  return `${model.subject}\n\n${mailText(model, undefined)}`;
}

/** Nothing of how it was made shows, and it begins with what happened. */
function expectReadable(mail: string, story: Story): void {
  expect(mail).not.toMatch(/undefined|NaN|null|\[object|\?%|an unknown/);
  expect(mail).toMatch(story.mail);
}

/** The same code over the same past: the preview says what was said, at the time it was said. */
async function expectPreviewed(kind: string, story: Story, opened: EventRow, summary: string): Promise<void> {
  const rule = { name: 'as built in', kind, ...(story.keyId !== '' && { key_id: story.keyId }) };
  const { status, json, text } = await stack.call('/v1/alert-rules/preview', {
    method: 'POST',
    body: { rule, days: 1 },
  });
  expect(status, text).toBe(200);
  const { at, scope, severity } = opened;
  const expected = { key_id: story.keyId, scope, severity, ...(story.previewAtMs ? {} : { at, summary }) };
  const same = json.alerts.filter((one: { scope: string }) => one.scope === scope);
  expect(same, text).toEqual([expect.objectContaining(expected)]);
  expect(Math.abs(Date.parse(same[0].at) - Date.parse(at))).toBeLessThanOrEqual(story.previewAtMs ?? 0);
  expect(json).toMatchObject({ cut: '', days: 1, keys_looked_at: json.keys_in_scope });
  const strict = { ...rule, settings: story.stricter };
  const { json: none } = await stack.call('/v1/alert-rules/preview', {
    method: 'POST',
    body: { rule: strict, days: 1 },
  });
  expect(
    none.alerts.filter((one: { scope: string }) => one.scope === scope),
    'a stricter rule',
  ).toEqual([]);
}
