import type { AlertEvent, AlertKind, EvidenceChart } from '../../alert.ts';
import type { Phrase } from './phrase.ts';

/** How a message looks: colours and words of the badge follow from it. */
export type Tone = 'critical' | 'warning' | 'info' | 'good';

export interface Fact {
  label: string;
  value: Phrase;
}

/** One of the things that explain an alert most. */
export interface Cause {
  what: Phrase;
  /** Share of the window's requests or errors, in words: `62%`. */
  share: string;
  /** `usually 8%`, `new here` or '' when nothing is known. */
  usual: string;
}

export interface Chart extends EvidenceChart {
  /** How many of the last values belong to the judged window. */
  judged: number;
  /** Highest value with its unit, and the times at both ends. */
  topLabel: string;
  startLabel: string;
  endLabel: string;
  /** For who cannot see it. */
  description: string;
}

/** Addresses that a message offers; absent without PUBLIC_URL or where they make no sense. */
export interface NoticeLinks {
  key?: string;
  acknowledge?: string;
  mute: readonly { days: number; url: string }[];
}

/** One alert in full. */
export interface Section {
  tone: Tone;
  badge: string;
  headline: string;
  keyId: string;
  lead: Phrase;
  /** Which key it is. */
  identity: Phrase;
  /** What the reason adds: that it grew worse, is still open, goes on and off. */
  remark: string;
  facts: readonly Fact[];
  chart: Chart | null;
  causes: { title: string; rows: readonly Cause[] } | null;
  advice: readonly string[];
  links: NoticeLinks;
}

/** A message as every channel tells it; only the markup differs. */
export interface MessageModel {
  tone: Tone;
  /** One word or two: `Critical`, `Resolved`, `Daily digest`. */
  badge: string;
  /** One line, bounded, without line ends. Foreign text in it is cleaned but not escaped. */
  subject: string;
  /** Set when the message is about more than one thing, or about none. */
  intro: Phrase | null;
  sections: readonly Section[];
  /** Further alerts, one line each. */
  rows: readonly { tone: Tone; badge: string; lead: Phrase; link?: string }[];
  /** What was left out and why. */
  notes: readonly string[];
  atMs: number;
}

/** Makes the addresses for one reader of the message. */
export interface LinkMaker {
  key(keyId: string): string | undefined;
  acknowledge(event: AlertEvent): string | undefined;
  mute(event: AlertEvent, days: number): string | undefined;
}

/** Kinds of alert that come from the registry of keys rather than from traffic. */
export const REGISTRY_KINDS: ReadonlySet<AlertKind> = new Set([
  'key_expiring',
  'key_expired',
  'key_deactivated',
  'key_unused',
  'rotation_due',
  'key_leaked',
]);
