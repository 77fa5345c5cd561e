import type { AlertMessage, AlertNotice } from './channel.ts';
import { cleanText } from './message/foreign-text.ts';
import type { MessageModel } from './message/model.ts';
import { plain } from './message/phrase.ts';
import { isEnd } from './message/topic.ts';

/** Hosts of the Events API v2, per service region (developer.pagerduty.com, Events API v2 overview). */
export const PAGERDUTY_ENDPOINTS = {
  us: 'https://events.pagerduty.com/v2/enqueue',
  eu: 'https://events.eu.pagerduty.com/v2/enqueue',
} as const;

const MAX_SUMMARY = 1_024;
const MAX_DEDUP_KEY = 255;

/** PagerDuty opens and closes incidents, so each alert of a group becomes an event of its own. */
export interface PagerDutyEvent {
  /** Name for the progress: which steps of a group have arrived. */
  part: string;
  body: object;
}

/**
 * Events of one message; none for a digest or a change of a key, which must not wake anybody.
 * @param modelOf the message about one notice alone, or about none for a test
 */
export function pagerDutyEvents(
  message: AlertMessage,
  routingKey: string,
  modelOf: (notice: AlertNotice | undefined) => MessageModel,
): PagerDutyEvent[] {
  if (message.reason === 'digest' || message.keyEvent) return [];
  if (message.notices.length === 0) return [testEvent(message, routingKey, modelOf(undefined))];
  return message.notices.map((notice) => {
    const { event } = notice;
    const incident = message.notices.length === 1 ? message.threadId : event.alert_id || message.threadId;
    const action = actionOf(notice);
    const common = { routing_key: routingKey, event_action: action, dedup_key: incident.slice(0, MAX_DEDUP_KEY) };
    // Two steps of one alert share their incident, and each has to arrive.
    return {
      part: event.event_id || incident,
      body: action === 'trigger' ? { ...common, ...detailsOf(notice, modelOf(notice)) } : common,
    };
  });
}

function actionOf({ event }: AlertNotice): 'trigger' | 'acknowledge' | 'resolve' {
  if (isEnd(event)) return 'resolve';
  return event.transition === 'acknowledged' ? 'acknowledge' : 'trigger';
}

function detailsOf({ event, key }: AlertNotice, model: MessageModel): object {
  const section = model.sections[0];
  const links = section?.links;
  const facts = Object.fromEntries((section?.facts ?? []).map(({ label, value }) => [label, plain(value)]));
  const causes = (section?.causes?.rows ?? []).map(({ what, share, usual }) =>
    `${share} ${plain(what)} ${usual}`.trim(),
  );
  return {
    client: 'Keytally',
    ...(links?.key ? { client_url: links.key } : {}),
    links: [
      ...(links?.key ? [{ href: links.key, text: 'Open the key' }] : []),
      ...(links?.acknowledge ? [{ href: links.acknowledge, text: 'Acknowledge in Keytally' }] : []),
      ...(links?.mute ?? []).map(({ days, url }) => ({ href: url, text: `Mute for ${days} days` })),
    ],
    payload: {
      summary: plain(section?.lead ?? []).slice(0, MAX_SUMMARY),
      source: cleanText(key?.organization_id || event.organization_id, 200) || 'keytally',
      // Our three words are three of PagerDuty's four.
      severity: event.severity,
      timestamp: event.at,
      component: cleanText(key?.name || event.key_id, 200),
      group: cleanText(event.environment, 200),
      class: event.kind,
      custom_details: {
        key: plain(section?.identity ?? []),
        ...facts,
        causes,
        advice: (section?.advice ?? []).join(' '),
      },
    },
  };
}

function testEvent(message: AlertMessage, routingKey: string, model: MessageModel): PagerDutyEvent {
  const payload = { summary: plain(model.intro ?? []), source: 'keytally', severity: 'info' };
  const body = {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: message.threadId.slice(0, MAX_DEDUP_KEY),
    payload,
  };
  return { part: message.threadId, body };
}
