import type { AlertEvent } from '../../alert.ts';
import { MUTE_DAYS } from '../../links.ts';
import type { Severity } from '../../state.ts';
import type { AlertMessage, AlertNotice } from '../channel.ts';
import { adviceForKeyEvent, adviceOf } from './advice.ts';
import { causesOf } from './causes.ts';
import { chartOf } from './chart.ts';
import { factsOf, identityOf } from './facts.ts';
import { countOf } from './figures.ts';
import { cleanText } from './foreign-text.ts';
import { KEY_HEADLINES, keyDataFacts, keySentence } from './key-sentences.ts';
import {
  type LinkMaker,
  type MessageModel,
  type NoticeLinks,
  REGISTRY_KINDS,
  type Section,
  type Tone,
} from './model.ts';
import type { Clock } from './moments.ts';
import { code, name, plain, reason, say } from './phrase.ts';
import { soundNotice } from './sound-evidence.ts';
import { isAboutChannel, isEnd, keyEventTypeOf } from './topic.ts';
import { endSentence, type Told, trafficHeadline, trafficSentence } from './traffic-sentences.ts';

/** Alerts told in full; further ones get a line each. */
const MAX_SECTIONS = 3;
/** Lines of further alerts; what is beyond is counted. */
const MAX_ROWS = 40;
/** A subject is cut by mail programs at about 60 and by phones at 40 characters; longer ones are only noise. */
export const MAX_SUBJECT_LENGTH = 120;

export interface ComposeOptions {
  links: LinkMaker;
  /** IANA name, shown beside UTC. */
  timezone: string | undefined;
  /** Name of the channel, for a test. */
  channelName: string;
  /** For messages that hold no time of their own. */
  nowMs: number;
}

/** Says what there is to say, in the same words for every channel. Pure: the same message makes the same model. */
export function compose(message: AlertMessage, options: ComposeOptions): MessageModel {
  const times = message.notices.map((notice) => Date.parse(notice.event.at)).filter((ms) => !Number.isNaN(ms));
  const eventMs = Date.parse(message.keyEvent?.at ?? '');
  if (!Number.isNaN(eventMs)) times.push(eventMs);
  const atMs = times.length === 0 ? options.nowMs : Math.max(...times);
  const clock: Clock = { nowMs: atMs, timezone: options.timezone };
  if (message.keyEvent) return composeKeyEvent(message, options, clock);
  if (message.notices.length === 0) return composeTest(options, clock);
  return composeAlerts(message, options, clock);
}

function composeAlerts(message: AlertMessage, options: ComposeOptions, clock: Clock): MessageModel {
  const notices = message.notices.map(soundNotice);
  const isDigest = message.reason === 'digest';
  const inFull = isDigest ? 0 : notices.length > MAX_SECTIONS ? 1 : notices.length;
  const sections = notices.slice(0, inFull).map((notice) => sectionOf(notice, options, clock));
  const rest = notices.slice(inFull).map((notice) => sectionOf(notice, options, clock));
  const first = sections[0] ?? rest[0]!;
  const unseen = Math.max(0, rest.length - MAX_ROWS) + message.omitted;
  return {
    tone: isDigest ? 'info' : first.tone,
    badge: isDigest ? 'Daily digest' : first.badge,
    subject: subjectOf(message, first, notices),
    intro: notices.length === 1 && !isDigest ? null : [introOf(message, notices)],
    sections,
    rows: rest
      .slice(0, MAX_ROWS)
      .map(({ tone, badge, lead, links }) => ({ tone, badge, lead, ...(links.key ? { link: links.key } : {}) })),
    notes: unseen > 0 ? [`${countOf(unseen, 'more alert')} not shown here; Keytally lists them all.`] : [],
    atMs: clock.nowMs,
  };
}

function introOf(message: AlertMessage, notices: readonly AlertNotice[]): string {
  const keys = new Set(notices.map((notice) => notice.event.key_id).filter((id) => id !== '')).size;
  const alerts = countOf(notices.length + message.omitted, 'alert');
  // Of what was left out nobody here knows the keys.
  const count = keys > 0 && message.omitted === 0 ? `${alerts} of ${countOf(keys, 'key')}` : alerts;
  if (message.reason === 'digest') return `${count} that did not need to interrupt anybody.`;
  return `${count} ${notices.every(({ event }) => isEnd(event)) ? 'are over' : 'came together'}.`;
}

function subjectOf(message: AlertMessage, first: Section, notices: readonly AlertNotice[]): string {
  const keyName = plain([nameOf(notices[0]!)]);
  const one = notices[0]!.event.kind === 'platform' ? capitalized(first.headline) : `${keyName}: ${first.headline}`;
  if (message.reason === 'digest') {
    return clip(`Digest: ${countOf(notices.length + message.omitted, 'alert')}`);
  }
  const more = notices.length > 1 ? ` and ${countOf(notices.length - 1 + message.omitted, 'more alert')}` : '';
  // Of the alert that is named: another of the same message may have grown worse.
  const prefix = PREFIX[notices[0]!.reason] ?? '';
  return clip(`${prefix}${one.slice(0, MAX_SUBJECT_LENGTH - prefix.length - more.length)}${more}`);
}

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const clip = (subject: string): string => cleanText(subject, MAX_SUBJECT_LENGTH);

const PREFIX: Partial<Record<AlertNotice['reason'], string>> = {
  severity_raised: 'Worse: ',
  repeated: 'Still open: ',
  flapping: 'On and off: ',
  resolved: 'Resolved: ',
};

const REMARKS: Partial<Record<AlertNotice['reason'], string>> = {
  severity_raised: 'It has grown worse since the last message.',
  repeated: 'It is still open and nobody has acknowledged it.',
  flapping: 'It goes on and off. Keytally stays quiet about it until it has settled.',
};

const BADGES: Readonly<Record<Severity, string>> = { critical: 'Critical', warning: 'Warning', info: 'Notice' };

function sectionOf(notice: AlertNotice, options: ComposeOptions, clock: Clock): Section {
  const { event } = notice;
  const isOver = isEnd(event);
  const isRegistry = REGISTRY_KINDS.has(event.kind);
  const chart = chartOf(event.evidence, notice.openedAt, clock);
  return {
    tone: isOver ? 'good' : event.severity,
    badge: isOver ? 'Resolved' : BADGES[event.severity],
    headline: isRegistry ? KEY_HEADLINES[keyEventTypeOf(event)]! : trafficHeadline(event),
    keyId: event.key_id,
    lead: leadOf(notice, isOver, clock),
    identity: identityOf(notice),
    remark: isOver ? '' : (REMARKS[notice.reason] ?? ''),
    facts: factsOf(notice, clock),
    chart: isRegistry ? null : chart,
    causes: isOver ? null : causesOf(event.kind, event.evidence.contributions),
    advice: isOver ? [] : adviceOf(event),
    links: linksOf(event, isOver, options.links),
  };
}

function leadOf(notice: AlertNotice, isOver: boolean, clock: Clock) {
  const { event, since } = notice;
  const key = nameOf(notice);
  if (isOver) return endSentence(event, key, Date.parse(event.at) - Date.parse(since));
  if (REGISTRY_KINDS.has(event.kind)) return keySentence(keyEventTypeOf(event), key, event.evidence.key ?? {}, clock);
  if (isAboutChannel(event)) return [reason(event.evidence.summary)];
  const told: Told = { key, evidence: event.evidence, since, clock };
  return trafficSentence(event.kind, told);
}

/** A key without a name is known by its id. */
function nameOf({ key, event }: AlertNotice) {
  return key && key.name.trim() !== '' ? name(key.name) : code(event.key_id);
}

function linksOf(event: AlertEvent, isOver: boolean, links: LinkMaker): NoticeLinks {
  const key = event.key_id === '' ? undefined : links.key(event.key_id);
  // Who could mute a notice about a channel would mute every alert of the platform with it.
  if (isAboutChannel(event)) return { mute: [] };
  const acknowledge = isOver || REGISTRY_KINDS.has(event.kind) ? undefined : links.acknowledge(event);
  const mute = MUTE_DAYS.flatMap((days) => {
    const url = links.mute(event, days);
    return url === undefined ? [] : [{ days, url }];
  });
  return { mute, ...(key === undefined ? {} : { key }), ...(acknowledge === undefined ? {} : { acknowledge }) };
}

function composeTest(options: ComposeOptions, clock: Clock): MessageModel {
  return {
    tone: 'info',
    badge: 'Test',
    subject: clip(`Test of channel ${cleanText(options.channelName, 80)}`),
    intro: say`This is a test of the channel ${name(options.channelName)}. It works: alerts will arrive here.`,
    sections: [],
    rows: [],
    notes: [],
    atMs: clock.nowMs,
  };
}

function composeKeyEvent(message: AlertMessage, options: ComposeOptions, clock: Clock): MessageModel {
  const { type, data, key: known } = message.keyEvent!;
  const keyId = known?.key_id ?? (typeof data.key_id === 'string' ? data.key_id : '');
  const given = known?.name || (typeof data.name === 'string' ? data.name : '');
  const key = given === '' ? code(keyId) : name(given);
  const link = keyId === '' ? undefined : options.links.key(keyId);
  const headline = (Object.hasOwn(KEY_HEADLINES, type) ? KEY_HEADLINES[type] : undefined) ?? cleanText(type, 40);
  const tone: Tone = type === 'key.leaked' ? 'critical' : type === 'key.reactivated' ? 'good' : 'info';
  const badge = tone === 'critical' ? 'Critical' : 'Key';
  const section: Section = {
    tone,
    badge,
    headline,
    keyId,
    lead: keySentence(type, key, data, clock),
    identity: keyId === '' ? [] : [code(keyId)],
    remark: '',
    facts: keyDataFacts(data, clock),
    chart: null,
    causes: null,
    advice: adviceForKeyEvent(type),
    links: { mute: [], ...(link === undefined ? {} : { key: link }) },
  };
  const subject = clip(`${plain([key])}: ${headline}`);
  return { tone, badge, subject, intro: null, sections: [section], rows: [], notes: [], atMs: clock.nowMs };
}
