import type { AlertEvent, AlertEvidence, AlertKind } from '../../alert.ts';
import { endReasonInWords } from '../../end-reason.ts';
import { countryName } from './causes.ts';
import { countOf, formatCount, formatDuration, formatMs, formatRatio, formatTimes } from './figures.ts';
import { type Clock, shortMoment } from './moments.ts';
import { type ForeignSpan, type Phrase, say } from './phrase.ts';
import { isAboutChannel, isAboutSilence, keyEventTypeOf } from './topic.ts';

/** What a sentence is made from. */
export interface Told {
  key: ForeignSpan;
  evidence: AlertEvidence;
  /** Since when it holds, RFC 3339. */
  since: string;
  clock: Clock;
}

type Topical = Pick<AlertEvent, 'kind' | 'scope' | 'evidence'>;

const PERIODS = { burst: 'burst', minute: 'per-minute', day: 'daily', month: 'monthly' } as const;
const KINDS_IN_WORDS: Readonly<Record<AlertKind, string>> = {
  error_rate: 'failing requests',
  traffic_anomaly: 'unusual traffic',
  latency: 'slow answers',
  new_country: 'new countries',
  country_mix: 'a shift of countries',
  near_limit: 'use near the limit',
  key_expiring: 'an expiring key',
  key_expired: 'an expired key',
  key_deactivated: 'a deactivated key',
  key_unused: 'an unused key',
  rotation_due: 'a secret due for rotation',
  key_leaked: 'a leaked secret',
  platform: 'many keys at once',
};
const kindInWords = (kind: AlertKind): string => KINDS_IN_WORDS[kind];

/** The first sentence of an alert that comes from traffic. Where a figure is missing, the evaluation's own summary stands in. */
export function trafficSentence(kind: AlertKind, told: Told): Phrase {
  const { key, evidence } = told;
  const sentence = SENTENCES[kind]?.(told);
  return sentence ?? (kind === 'platform' ? [evidence.summary] : say`Key ${key}: ${evidence.summary}`);
}

const SENTENCES: Partial<Record<AlertKind, (told: Told) => Phrase | undefined>> = {
  error_rate: ({ key, evidence: { value, expected }, ...rest }) => {
    if (value === undefined) return undefined;
    const usual = expected === undefined ? '' : `; usually it is ${formatRatio(expected)}`;
    return say`${formatRatio(value)} of the requests of key ${key} have failed since ${sinceWhen(rest)}${usual}.`;
  },
  traffic_anomaly: trafficAnomaly,
  latency: ({ key, evidence: { value, expected }, ...rest }) => {
    if (value === undefined) return undefined;
    const usual = expected === undefined ? '' : `, ${formatTimes(value, expected)} the usual ${formatMs(expected)}`;
    return say`The slowest 5% of the requests of key ${key} have taken ${formatMs(value)} or more since ${sinceWhen(rest)}${usual}.`;
  },
  new_country: ({ key, evidence: { value, country }, ...rest }) => {
    if (country === undefined) return undefined;
    const count = value === undefined ? '' : `: ${countOf(value, 'request')} since ${sinceWhen(rest)}`;
    return say`Key ${key} was used from ${countryName(country)} for the first time${count}.`;
  },
  country_mix: ({ key, ...rest }) =>
    say`Since ${sinceWhen(rest)} the requests of key ${key} come from other countries than usual.`,
  near_limit: nearLimit,
  platform: ({ evidence: { fleet }, ...rest }) => {
    if (!fleet) return undefined;
    const firing = `${formatCount(fleet.firingKeys)} of ${countOf(fleet.activeKeys, 'active key')}`;
    return say`${firing} have shown ${kindInWords(fleet.kind)} at the same time since ${sinceWhen(rest)}. That points at the platform rather than at the keys.`;
  },
};

function trafficAnomaly({ key, evidence: { value, expected, direction }, ...rest }: Told): Phrase | undefined {
  const from = sinceWhen(rest);
  if (direction === 'silence') {
    const usual =
      expected === undefined ? '' : `; it should have sent about ${countOf(Math.round(expected), 'request')} by now`;
    return say`Key ${key} has sent nothing since ${from}${usual}.`;
  }
  if (value === undefined || expected === undefined) return undefined;
  if (direction === 'drop') {
    return say`Key ${key} has sent only ${formatRatio(value / expected)} of its usual requests since ${from}.`;
  }
  const times = formatTimes(value, expected);
  if (times === '')
    return say`Key ${key} has sent ${countOf(value, 'request')} since ${from}, at an hour when it usually sends none.`;
  return say`Key ${key} has sent ${times} its usual requests since ${from}.`;
}

function nearLimit({ key, evidence: { limit }, clock }: Told): Phrase | undefined {
  if (!limit) return undefined;
  const used = `${formatCount(limit.used)} of ${countOf(limit.limit, 'request')}`;
  const full = limit.fullAt ? ` At this pace it is full at ${shortMoment(limit.fullAt, clock)}.` : '';
  if (limit.used >= limit.limit) {
    return say`Key ${key} has reached its ${PERIODS[limit.period]} limit: ${used}. Further requests may be refused.`;
  }
  // Rounded down: 99.9% of a limit is not 100% of it.
  const percent = Math.floor((100 * limit.used) / Math.max(1, limit.limit));
  return say`Key ${key} has used ${String(percent)}% of its ${PERIODS[limit.period]} limit: ${used}.${full}`;
}

/** What is said when an alert is over. `lastedMs` is the time from the start of what it told of to its end. */
export function endSentence(event: Topical, key: ForeignSpan, lastedMs: number): Phrase {
  const after = `after ${formatDuration(lastedMs)}`;
  const because = endReasonInWords(event.evidence.ended);
  if (because !== undefined) return overBecause(event, key, `${after}: ${because}`);
  switch (event.kind) {
    case 'error_rate':
      return say`Requests of key ${key} succeed as usual again, ${after}.`;
    case 'traffic_anomaly':
      return say`Key ${key} sends its usual number of requests again, ${after}.`;
    case 'latency':
      return say`Requests of key ${key} are as fast as usual again, ${after}.`;
    case 'country_mix':
      return say`Requests of key ${key} come from the usual countries again, ${after}.`;
    case 'near_limit':
      return say`Key ${key} is well below its limit again, ${after}.`;
    case 'platform':
      return [
        isAboutSilence(event) ? `Requests are reported again, ${after}.` : `The keys are back to normal, ${after}.`,
      ];
    default:
      return say`The alert for key ${key} about ${wordsOf(event)} is over, ${after}.`;
  }
}

/** An end that is no recovery claims none. */
function overBecause(event: Topical, key: ForeignSpan, after: string): Phrase {
  if (event.kind !== 'platform') return say`The alert for key ${key} about ${wordsOf(event)} is over, ${after}.`;
  return [`The alert about ${isAboutSilence(event) ? 'missing reports' : wordsOf(event)} is over, ${after}.`];
}

const wordsOf = (event: Topical): string =>
  keyEventTypeOf(event) === 'key.policy_warning' ? 'its coming deactivation' : kindInWords(event.kind);

/** What a subject says of the alert, the same over the whole life of it, so that mail programs keep one conversation. */
export function trafficHeadline(event: Topical): string {
  const { kind, evidence } = event;
  if (isAboutChannel(event)) return 'a channel does not deliver';
  if (isAboutSilence(event)) return 'no requests are reported';
  switch (kind) {
    case 'error_rate':
      return 'requests are failing';
    case 'traffic_anomaly':
      return evidence.direction === 'silence'
        ? 'has gone silent'
        : evidence.direction === 'drop'
          ? 'far fewer requests than usual'
          : 'far more requests than usual';
    case 'latency':
      return 'answers are slow';
    case 'new_country':
      return 'used from a new country';
    case 'country_mix':
      return 'requests from unusual countries';
    case 'near_limit':
      return evidence.limit ? `near its ${PERIODS[evidence.limit.period]} limit` : 'near its limit';
    default:
      return kindInWords(kind);
  }
}

function sinceWhen({ since, clock }: Pick<Told, 'since' | 'clock'>): string {
  return shortMoment(since, clock);
}
