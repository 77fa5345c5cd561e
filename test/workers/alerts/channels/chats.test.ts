import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALERT_KINDS } from '../../../../workers/alerts/alert.ts';
import type { AlertMessage } from '../../../../workers/alerts/channels/channel.ts';
import { discordPayload } from '../../../../workers/alerts/channels/discord.ts';
import { slackPayload } from '../../../../workers/alerts/channels/slack.ts';
import { teamsPayload } from '../../../../workers/alerts/channels/teams.ts';
import { HOSTILE_TEXTS, hostileNotice } from './hostile-text.ts';
import { startHttpReceiver } from './http-receiver.ts';
import {
  everyMessage,
  resolvedEvent,
  sampleChannel,
  sampleMessage,
  sampleModel,
  sampleNotice,
} from './sample-messages.ts';
import { testSender } from './senders.ts';

/** Every text of a JSON value, at any depth. */
function textsOf(value: unknown, under = ''): [string, string][] {
  if (typeof value === 'string') return [[under, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => textsOf(one, Array.isArray(value) ? under : name));
}

const hostileMessages: AlertMessage[] = [
  ...HOSTILE_TEXTS.map((text) => sampleMessage(ALERT_KINDS.slice(0, 3).map((kind) => hostileNotice(kind, text)))),
  ...HOSTILE_TEXTS.map((text) => sampleMessage(ALERT_KINDS.map((kind) => hostileNotice(kind, text)))),
  ...everyMessage((kind, change) => ({
    ...hostileNotice(kind),
    ...(change ? { event: { ...hostileNotice(kind).event, ...change } } : {}),
  })).map(([, message]) => message),
];
const everything = [...everyMessage().map(([, message]) => message), ...hostileMessages];

/** What is left of chat markup when code spans with their content and our own links are taken away. */
const outsideCode = (text: string) => text.replace(/`[^`]*`/g, '§').replace(/<https:\/\/keytally[^>]*>/g, '');

describe('Slack', () => {
  type Block = {
    type: string;
    text?: { text: string; verbatim?: boolean };
    fields?: { text: string }[];
    elements?: { text: string }[];
  };
  type Payload = { text: string; mrkdwn: boolean; attachments: { color: string; blocks: Block[] }[] };
  const payloads = () => everything.map((message) => slackPayload(sampleModel(message)) as Payload);

  test('every message is within the limits', () => {
    for (const payload of payloads()) {
      const [{ blocks, color }] = payload.attachments as [Payload['attachments'][number]];
      expect(blocks.length).toBeGreaterThan(0);
      expect(blocks.length).toBeLessThanOrEqual(50);
      expect(color).toMatch(/^#[0-9a-f]{6}$/);
      expect(payload.text.length).toBeGreaterThan(5);
      for (const block of blocks) {
        if (block.text) expect(block.text.text.length).toBeLessThanOrEqual(3_000);
        expect(block.fields?.length ?? 1).toBeLessThanOrEqual(10);
        for (const { text } of block.fields ?? []) expect(text.length).toBeLessThanOrEqual(2_000);
        for (const { text } of block.elements ?? []) expect(text.length).toBeLessThanOrEqual(3_000);
      }
    }
  });

  test('foreign text calls nobody, links nowhere and has no emphasis', () => {
    for (const payload of payloads()) {
      for (const [name, text] of textsOf(payload)) {
        // Angle brackets are links of ours alone.
        for (const [, inside] of text.matchAll(/<([^>]*)>/g))
          expect(inside, name).toMatch(/^https:\/\/keytally\.example\.com\/[^|]*\|[\w ]+$/);
        expect(text.replace(/<[^>]*>/g, '')).not.toMatch(/[<>]/);
        expect(text).not.toMatch(/&(?!amp;|lt;|gt;)/);
        if (name !== 'text' || text === payload.text) continue;
        expect(outsideCode(text)).not.toMatch(/evil|:skull:|_it_|~gone~|\*bold\*|@everyone/);
        expect((text.match(/`/g) ?? []).length % 2).toBe(0);
      }
      expect(payload).toMatchObject({ mrkdwn: false, link_names: false, unfurl_links: false });
    }
  });

  test('any text at all keeps the spans whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const payload = slackPayload(sampleModel(sampleMessage([hostileNotice('error_rate', text)]))) as Payload;
        const [lead] = payload.attachments[0]!.blocks;
        expect(outsideCode(lead!.text!.text)).toBe(
          '*Critical*  31% of the requests of key § have failed since 14:05 UTC; usually it is 0.4%.',
        );
      }),
    );
  });
});

describe('Discord', () => {
  type Payload = {
    content: string;
    embeds: { title: string; description: string; color: number }[];
    allowed_mentions: object;
  };
  test('every message is within the limits and mentions nobody', () => {
    for (const message of everything) {
      const payload = discordPayload(sampleModel(message)) as Payload;
      expect(payload.allowed_mentions).toEqual({ parse: [] });
      expect(payload.embeds.length + payload.content.length).toBeGreaterThan(0);
      expect(payload.content.length).toBeLessThanOrEqual(2_000);
      expect(outsideCode(payload.content)).not.toMatch(/evil|@/);
      expect(payload.embeds.length).toBeLessThanOrEqual(10);
      const total = payload.embeds.reduce((sum, { title, description }) => sum + title.length + description.length, 0);
      expect(total).toBeLessThanOrEqual(6_000);
      for (const { title, description } of payload.embeds) {
        expect(title.length).toBeLessThanOrEqual(256);
        expect(description.length).toBeLessThanOrEqual(4_096);
        expect((description.match(/`/g) ?? []).length % 2).toBe(0);
        expect(outsideCode(description).replace(/\]\(https:\/\/keytally[^)]*\)/g, '')).not.toMatch(
          /evil|@everyone|<@|\*\*bold/,
        );
        for (const [, url] of outsideCode(description).matchAll(/\]\(([^)]*)\)/g)) {
          expect(url).toMatch(/^https:\/\/keytally\.example\.com\//);
        }
      }
    }
  });
});

describe('Teams', () => {
  test('every message is under 28 kB, and text is never read as Markdown or a formula', () => {
    for (const message of everything) {
      const payload = teamsPayload(sampleModel(message)) as {
        attachments: [{ content: { body: { type: string }[] } }];
      };
      expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThan(28_000);
      const { body } = payload.attachments[0].content;
      expect(body.length).toBeGreaterThan(0);
      expect(new Set(body.map(({ type }) => type))).toEqual(new Set(['RichTextBlock']));
      for (const [, text] of textsOf(body)) expect(text).not.toMatch(/\{\{|\$\{/);
    }
  });

  test('what had to go is said', () => {
    const crowd = Array.from({ length: 40 }, () => hostileNotice('error_rate', '漢'.repeat(400)));
    const text = JSON.stringify(teamsPayload(sampleModel(sampleMessage(crowd))));
    expect(text).toContain('left out here');
  });
});

describe.each([
  ['slack', 200, { text: expect.any(String) }],
  ['discord', 204, { allowed_mentions: { parse: [] } }],
  ['teams', 202, { type: 'message' }],
] as const)('%s, sent to a real receiver', (type, status, shape) => {
  test('arrives as JSON, and the address stays secret', async () => {
    const receiver = await startHttpReceiver((response) => void response.writeHead(status).end('ok'));
    const sender = testSender({ WEBHOOK_ALLOW_PRIVATE: '127.0.0.0/8' });
    const url = `http://127.0.0.1:${receiver.port}/services/T0/B0/CANARY`;
    const message = sampleMessage([sampleNotice('error_rate')]);
    const outcome = await sender.send(sampleChannel({ type, secrets: { url } }), message);
    expect(outcome).toEqual({ result: 'sent', responseStatus: status });
    expect(JSON.parse(receiver.posts[0]!.body)).toMatchObject(shape);
    expect(receiver.posts[0]!.path).toBe('/services/T0/B0/CANARY');
    const refused = await testSender({}).send(sampleChannel({ type, secrets: { url } }), message);
    expect(refused).toMatchObject({ result: 'failed' });
    expect(JSON.stringify([refused, sender.log])).not.toContain('CANARY');
  });
});

describe('PagerDuty', () => {
  const channel = sampleChannel({ type: 'pagerduty', secrets: { routing_key: 'R0'.repeat(16) } });
  async function start(answers: number[] = []) {
    const receiver = await startHttpReceiver((response) => void response.writeHead(answers.shift() ?? 202).end());
    const pagerDutyEndpoint = `http://127.0.0.1:${receiver.port}/v2/enqueue`;
    return { receiver, sender: testSender({ WEBHOOK_ALLOW_PRIVATE: '127.0.0.1' }, { pagerDutyEndpoint }) };
  }
  const bodies = (receiver: { posts: { body: string }[] }) => receiver.posts.map(({ body }) => JSON.parse(body));

  test('triggers, acknowledges and resolves the same incident', async () => {
    const { receiver, sender } = await start();
    const opened = sampleMessage([sampleNotice('error_rate')]);
    for (const change of [{}, { transition: 'acknowledged' as const }, resolvedEvent]) {
      await sender.send(channel, { ...opened, notices: [sampleNotice('error_rate', change)] });
    }
    expect(bodies(receiver)).toMatchObject([
      {
        routing_key: 'R0'.repeat(16),
        event_action: 'trigger',
        dedup_key: opened.threadId,
        payload: {
          summary: '31% of the requests of key Billing sync have failed since 14:05 UTC; usually it is 0.4%.',
          source: 'acme',
          severity: 'critical',
          component: 'Billing sync',
          class: 'error_rate',
        },
      },
      { event_action: 'acknowledge', dedup_key: opened.threadId },
      { event_action: 'resolve', dedup_key: opened.threadId },
    ]);
  });

  test('a group is one incident each; a retry sends only what is missing', async () => {
    const { receiver, sender } = await start([202, 429]);
    const group = sampleMessage([sampleNotice('error_rate'), sampleNotice('latency')], { threadId: 'group_1' });
    const delivered = new Set<string>();
    const progress = { delivered, onDelivered: (part: string) => void delivered.add(part) };
    expect(await sender.send(channel, group, progress)).toMatchObject({ result: 'retry', responseStatus: 429 });
    expect(await sender.send(channel, group, progress)).toMatchObject({ result: 'sent', responseStatus: 202 });
    const [one, two] = group.notices.map((notice) => notice.event.alert_id);
    expect(bodies(receiver).map((body) => body.dedup_key)).toEqual([one, two, two]);
  });

  test('two steps of one alert in one message both arrive, also when a retry comes between them', async () => {
    const { receiver, sender } = await start([202, 429]);
    const raised = { event_id: 'raised', transition: 'severity_raised' as const };
    const group = sampleMessage([sampleNotice('error_rate'), sampleNotice('error_rate', raised)]);
    const delivered = new Set<string>();
    const progress = { delivered, onDelivered: (part: string) => void delivered.add(part) };
    expect(await sender.send(channel, group, progress)).toMatchObject({ result: 'retry' });
    expect(await sender.send(channel, group, progress)).toMatchObject({ result: 'sent' });
    expect(receiver.posts.length).toBe(3);
    expect(new Set(bodies(receiver).map((body) => body.dedup_key)).size).toBe(1);
  });

  test('400 is final; a digest and a change of a key wake nobody', async () => {
    const { receiver, sender } = await start([400]);
    expect(await sender.send(channel, sampleMessage([sampleNotice('latency')]))).toMatchObject({
      result: 'failed',
      responseStatus: 400,
    });
    const rest = everyMessage().filter(([title]) => title === 'digest' || title === 'key event');
    for (const [, message] of rest) {
      expect(await sender.send(channel, message)).toMatchObject({
        result: 'sent',
        detail: expect.stringMatching(/left out/),
      });
    }
    expect(receiver.posts.length).toBe(1);
  });

  test('hostile texts stay within the limits of every field', async () => {
    const { receiver, sender } = await start();
    for (const text of HOSTILE_TEXTS) await sender.send(channel, sampleMessage([hostileNotice('error_rate', text)]));
    expect(receiver.posts.length).toBe(HOSTILE_TEXTS.length);
    for (const { body } of receiver.posts) {
      expect(Buffer.byteLength(body)).toBeLessThan(50_000);
      const { payload, dedup_key: dedupKey } = JSON.parse(body);
      expect(payload.summary.length).toBeLessThanOrEqual(1_024);
      expect(dedupKey.length).toBeLessThanOrEqual(255);
      expect(payload.source).not.toBe('');
    }
  });
});
