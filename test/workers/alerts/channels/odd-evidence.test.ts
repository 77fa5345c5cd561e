import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALERT_KINDS, type AlertEvidence } from '../../../../workers/alerts/alert.ts';
import type { AlertMessage } from '../../../../workers/alerts/channels/channel.ts';
import { discordPayload } from '../../../../workers/alerts/channels/discord.ts';
import { mailMessage } from '../../../../workers/alerts/channels/mail-message.ts';
import { pagerDutyEvents } from '../../../../workers/alerts/channels/pagerduty.ts';
import { slackPayload } from '../../../../workers/alerts/channels/slack.ts';
import { teamsPayload } from '../../../../workers/alerts/channels/teams.ts';
import { MAX_BODY_BYTES, webhookBody } from '../../../../workers/alerts/channels/webhook.ts';
import {
  everyMessage,
  SAMPLE_LINKS,
  sampleChannel,
  sampleMessage,
  sampleModel,
  sampleNotice,
} from './sample-messages.ts';
import { testSender } from './senders.ts';

const figure = fc.oneof(fc.double(), fc.constantFrom(0, -1, 1, Number.NaN, Number.POSITIVE_INFINITY, 1e300));
const moment = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.string(),
  fc.constant('2026-11-21T14:00:00Z'),
);
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });

const evidence: fc.Arbitrary<AlertEvidence> = fc.record(
  {
    summary: fc.constant('Something happened.'),
    value: maybe(figure),
    expected: maybe(figure),
    unit: maybe(fc.constantFrom('requests', 'ratio', 'ms', 'percent', 'keys')),
    windowMinutes: maybe(figure),
    baseline: maybe(fc.constant('this hour in the last 6 weeks')),
    statistic: maybe(fc.record({ name: fc.constant('z'), value: figure, threshold: figure })),
    direction: maybe(fc.constantFrom('spike', 'drop', 'silence')),
    chart: maybe(
      fc.record({
        start: moment,
        bucketMinutes: figure,
        values: fc.array(figure, { maxLength: 400 }),
        expected: fc.array(fc.option(figure)),
      }),
    ),
    contributions: maybe(
      fc.array(
        fc.record({
          dimension: fc.constantFrom('endpoint', 'country', 'status'),
          value: fc.string({ unit: 'binary' }),
          requests: figure,
          share: figure,
          usualShare: fc.option(figure),
        }),
      ),
    ),
    limit: maybe(
      fc.record({
        period: fc.constantFrom('burst', 'minute', 'day', 'month'),
        used: figure,
        limit: figure,
        stepPercent: figure,
        fullAt: moment,
      }),
    ),
    key: maybe(
      fc.dictionary(
        fc.constantFrom('expires_at', 'secret_since', 'reason', 'last_used_at', 'actor'),
        fc.oneof(moment, fc.jsonValue()),
      ),
    ),
    country: maybe(fc.string()),
    ended: maybe(fc.constantFrom('recovered', 'inactive', 'unheard', 'constructor')),
    fleet: maybe(fc.record({ firingKeys: figure, activeKeys: figure, kind: fc.constantFrom(...ALERT_KINDS) })),
  },
  { requiredKeys: ['summary'] },
) as fc.Arbitrary<AlertEvidence>;

function renderAll(message: AlertMessage) {
  const model = sampleModel(message, 'Asia/Kolkata');
  const mail = mailMessage({
    message,
    model,
    from: 'a@b.example',
    recipient: 'c@d.example',
    channelName: 'x',
    unsubscribe: undefined,
    sentAtMs: 0,
  });
  return {
    mail,
    webhook: webhookBody(message, model, SAMPLE_LINKS),
    chats: [slackPayload(model), discordPayload(model), teamsPayload(model)],
    pages: pagerDutyEvents(message, 'key', () => model),
  };
}

test('whatever the evidence holds, every channel has a message without holes', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ALERT_KINDS), evidence, moment, fc.boolean(), (kind, given, odd, isOver) => {
      const sample = sampleNotice(kind, { evidence: given, phase: isOver ? 'resolved' : 'firing' });
      const notice = { ...sample, openedAt: odd, since: odd };
      const { mail, webhook, chats, pages } = renderAll(sampleMessage([notice]));
      expect(Buffer.byteLength(webhook)).toBeLessThan(MAX_BODY_BYTES);
      const ours = { ...given, contributions: [], key: {}, country: 'SE' };
      const own = renderAll(sampleMessage([{ ...notice, event: { ...notice.event, evidence: ours } }]));
      for (const text of [own.mail.text, own.mail.subject, JSON.stringify([own.chats, own.pages])]) {
        // Tokens of links are random letters.
        expect(String(text).replace(/https:[^\s"|>)]+/g, '')).not.toMatch(/undefined|NaN|Invalid|Infinity|\[object/);
      }
      expect([chats.length, pages.length, typeof mail.html]).toEqual([3, 1, 'string']);
    }),
    { numRuns: 300 },
  );
});

test('no mail is so long that a program cuts it (Gmail at 102 kB of HTML)', () => {
  for (const [title, message] of everyMessage()) {
    const { mail } = renderAll(message);
    expect(Buffer.byteLength(mail.html as string), title).toBeLessThan(102_000);
  }
});

test('a message that cannot be made is an outcome, not a rejection, and its fields are not logged', async () => {
  const sender = testSender({ WEBHOOK_ALLOW_PRIVATE: '127.0.0.1' });
  const broken = sampleMessage([null as never]);
  for (const type of ['webhook', 'slack', 'pagerduty'] as const) {
    const secrets = {
      signing: [`whsec_${'A'.repeat(43)}=`],
      url: 'https://hooks.example/CANARY',
      routing_key: 'a'.repeat(32),
    };
    const outcome = await sender.send(sampleChannel({ type, settings: { url: secrets.url }, secrets }), broken);
    expect(outcome).toEqual({
      result: 'retry',
      responseStatus: 0,
      detail: 'an error of Keytally itself; its log says more',
    });
  }
  expect(sender.log.filter((line) => line.includes('sending failed')).length).toBe(3);
  expect(sender.log.join('')).not.toContain('CANARY');
});

test('the time it takes to make a mail with a chart is printed', () => {
  const message = sampleMessage([sampleNotice('error_rate')]);
  const started = process.hrtime.bigint();
  for (let i = 0; i < 20; i++) renderAll(message);
  const each = Number(process.hrtime.bigint() - started) / 20e6;
  console.log(`all renderers together: ${each.toFixed(1)} ms a message`);
  expect(renderAll(message).mail.attachments?.length).toBe(1);
});
