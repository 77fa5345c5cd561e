import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect, test, vi } from 'vitest';
import { packageRoot } from '../../../../ingest/package-root.ts';
import { linkMaker } from '../../../../workers/alerts/channels/message/message-links.ts';
import { slackPayload } from '../../../../workers/alerts/channels/slack.ts';
import { signedHeaders } from '../../../../workers/alerts/channels/standard-webhooks.ts';
import { webhookBody } from '../../../../workers/alerts/channels/webhook.ts';
import { NOW_MS, SAMPLE_KEY, SAMPLE_KEYS, sampleMessage, sampleModel, sampleNotice } from './sample-messages.ts';

/** The examples of docs/channels.md are made here, so that they stay true. A fresh copy is written to test/output. */
const DOCS = join(packageRoot(), 'docs/channels.md');
const FRESH = join(packageRoot(), 'test/output');

/** Secret of the documentation; no receiver has it. */
const SECRET = `whsec_${Buffer.from('an example, not a secret of any use').toString('base64')}`;
const keyEvent = {
  type: 'key.deactivated',
  at: '2026-11-21T14:05:00.000Z',
  data: {
    name: 'Billing sync',
    status: 'inactive',
    reason: 'policy "unused": no request for 180 days',
    actor: 'policy:unused',
  },
  key: SAMPLE_KEY,
};
/** Tokens of links are long and say nothing to a reader. */
const shorten = (text: string) => text.replace(/\/v1\/actions\/[\w.-]+/g, '/v1/actions/…');
const pretty = (value: unknown) => shorten(JSON.stringify(value, null, 2));

function documented(name: string, text: string): void {
  mkdirSync(FRESH, { recursive: true });
  writeFileSync(join(FRESH, name), text);
  expect(readFileSync(DOCS, 'utf8'), `${name}: docs/channels.md is out of date, see test/output/${name}`).toContain(
    text,
  );
}

test('a signed webhook, verified with the library of the specification', () => {
  const message = sampleMessage([], { messageId: 'msg_9b2e7c', reason: 'key_event', threadId: 't', keyEvent });
  const links = linkMaker(SAMPLE_KEYS, undefined, '', NOW_MS);
  const body = webhookBody(message, sampleModel(message), links);
  const headers = signedHeaders(message.messageId, NOW_MS, body, [SECRET]);
  // The library looks at the clock: an example is valid at its own time only.
  vi.useFakeTimers({ now: NOW_MS });
  expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({ type: 'key.deactivated' });
  vi.useRealTimers();
  documented(
    'example-webhook.txt',
    [...Object.entries({ ...headers, secret: SECRET }).map(([name, value]) => `${name}: ${value}`), '', body].join(
      '\n',
    ),
  );
});

test('the body of an alert', () => {
  const notice = sampleNotice('error_rate');
  const { chart, ...evidence } = notice.event.evidence;
  expect(chart).toBeDefined();
  const message = sampleMessage([
    {
      ...notice,
      event: { ...notice.event, evidence: { ...evidence, contributions: evidence.contributions!.slice(0, 1) } },
    },
  ]);
  const links = linkMaker(SAMPLE_KEYS, 'https://keytally.example.com', 'channel:ops', NOW_MS);
  documented(
    'example-alert.json',
    pretty(JSON.parse(webhookBody(message, sampleModel(message, undefined, links), links))),
  );
});

test('the payload for Slack', () => {
  documented(
    'example-slack.json',
    pretty(slackPayload(sampleModel(sampleMessage([sampleNotice('error_rate')]), 'Europe/Stockholm'))),
  );
});
