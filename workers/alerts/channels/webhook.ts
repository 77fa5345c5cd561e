import type { AlertEvidence } from '../alert.ts';
import type { AlertMessage, AlertNotice } from './channel.ts';
import { cleanText, cleanValue } from './message/foreign-text.ts';
import { leadOf } from './message/markup.ts';
import type { LinkMaker, MessageModel } from './message/model.ts';
import { plain } from './message/phrase.ts';

/** Standard Webhooks asks for bodies under 20 kB. */
export const MAX_BODY_BYTES = 20_000;
const MAX_TEXT = 300;
const MAX_CONTRIBUTIONS = 20;
/** A day of five-minute buckets. */
const MAX_CHART_VALUES = 288;

/** What is left out, in this order, until the body is small enough. The receiver finds it in `data.trimmed`. */
const TRIMS = ['contributions', 'chart', 'key_fields', 'links'] as const;
type Trim = (typeof TRIMS)[number];

/**
 * Body of a Standard Webhook: `{type, timestamp, data}`, the same for every attempt. Texts that came from traffic are one line
 * of visible characters, cut to 300; `key_id` is exact.
 */
export function webhookBody(message: AlertMessage, model: MessageModel, links: LinkMaker): string {
  const type = typeOf(message);
  const timestamp = new Date(model.atMs).toISOString();
  const trimmed: Trim[] = [];
  let count = message.notices.length;
  for (;;) {
    const data = dataOf(message, model, links, count, trimmed);
    const body = JSON.stringify({ type, timestamp, data });
    if (Buffer.byteLength(body) < MAX_BODY_BYTES) return body;
    const next = TRIMS[trimmed.length];
    if (next) trimmed.push(next);
    else if (count > 0) count = Math.floor(count / 2);
    else return JSON.stringify({ type, timestamp, data: { message_id: message.messageId, trimmed: ['everything'] } });
  }
}

function typeOf(message: AlertMessage): string {
  if (message.keyEvent) return message.keyEvent.type.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, 100);
  if (message.reason === 'test') return 'channel.test';
  return `alert.${message.reason}`;
}

function dataOf(
  message: AlertMessage,
  model: MessageModel,
  links: LinkMaker,
  count: number,
  trimmed: readonly Trim[],
): object {
  const { keyEvent } = message;
  const base = { message_id: message.messageId, title: model.subject, summary: cleanText(plain(leadOf(model)), 1_000) };
  if (keyEvent) {
    return {
      ...base,
      ...(trimmed.length > 0 ? { trimmed } : {}),
      key: keyOf(keyEvent.key ?? null),
      ...(trimmed.includes('key_fields') ? {} : { event: cleanValue(keyEvent.data, MAX_TEXT) }),
    };
  }
  return {
    ...base,
    reason: message.reason,
    thread_id: message.threadId,
    alerts: message.notices.slice(0, count).map((notice) => alertOf(notice, links, trimmed)),
    omitted_alerts: message.omitted + message.notices.length - count,
    ...(trimmed.length > 0 ? { trimmed } : {}),
  };
}

function alertOf(notice: AlertNotice, links: LinkMaker, trimmed: readonly Trim[]): object {
  const { event, reason, openedAt, since } = notice;
  return {
    alert_id: event.alert_id,
    kind: event.kind,
    scope: cleanText(event.scope, MAX_TEXT),
    severity: event.severity,
    phase: event.phase,
    transition: event.transition,
    reason,
    at: event.at,
    opened_at: openedAt,
    since,
    key_id: event.key_id,
    organization_id: event.organization_id,
    environment: cleanText(event.environment, MAX_TEXT),
    key: keyOf(notice.key),
    ...evidenceOf(event.evidence, trimmed),
    ...(trimmed.includes('links') ? {} : { links: linksOf(notice, links) }),
  };
}

function keyOf(key: AlertNotice['key']): unknown {
  if (!key) return null;
  const { owner_name, owner_email, ...fields } = key;
  return {
    ...(cleanValue(fields, MAX_TEXT) as object),
    key_id: key.key_id,
    owner: cleanValue({ name: owner_name, email: owner_email }, MAX_TEXT),
  };
}

function evidenceOf(evidence: AlertEvidence, trimmed: readonly Trim[]): object {
  const { windowMinutes, limit, chart, contributions, fleet, key, ...rest } = evidence;
  const cleaned = cleanValue({ ...rest, window_minutes: windowMinutes }, MAX_TEXT) as object;
  return {
    ...cleaned,
    ...(limit ? { limit: limitOf(limit) } : {}),
    ...(fleet ? { fleet: { firing_keys: fleet.firingKeys, active_keys: fleet.activeKeys, kind: fleet.kind } } : {}),
    ...(key && !trimmed.includes('key_fields') ? { key_event: cleanValue(key, MAX_TEXT) } : {}),
    ...(chart && !trimmed.includes('chart') ? { chart: chartOf(chart) } : {}),
    ...(contributions && !trimmed.includes('contributions')
      ? { contributions: cleanValue(contributions.slice(0, MAX_CONTRIBUTIONS).map(contributionOf), MAX_TEXT) }
      : {}),
  };
}

const limitOf = ({ period, used, limit, stepPercent, fullAt }: NonNullable<AlertEvidence['limit']>) => ({
  period,
  used,
  limit,
  step_percent: stepPercent,
  full_at: fullAt ?? null,
});

const chartOf = ({ start, bucketMinutes, values, expected }: NonNullable<AlertEvidence['chart']>) => ({
  start,
  bucket_minutes: bucketMinutes,
  values: values.slice(0, MAX_CHART_VALUES),
  expected: expected.slice(0, MAX_CHART_VALUES),
});

const contributionOf = ({ usualShare, ...rest }: NonNullable<AlertEvidence['contributions']>[number]) => ({
  ...rest,
  usual_share: usualShare,
});

function linksOf({ event }: AlertNotice, links: LinkMaker): object {
  return {
    key: event.key_id === '' ? null : (links.key(event.key_id) ?? null),
    acknowledge: event.phase === 'resolved' ? null : (links.acknowledge(event) ?? null),
    mute_7_days: links.mute(event, 7) ?? null,
  };
}
