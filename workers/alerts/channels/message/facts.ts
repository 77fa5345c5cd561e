import type { AlertEvent, AlertEvidence, AlertKind } from '../../alert.ts';
import { endReasonInWords } from '../../end-reason.ts';
import type { AlertNotice } from '../channel.ts';
import { countOf, formatCount, formatDuration, formatFigure } from './figures.ts';
import { keyDataFacts } from './key-sentences.ts';
import { type Fact, REGISTRY_KINDS } from './model.ts';
import { type Clock, fullMoment } from './moments.ts';
import { code, label, type Phrase, say } from './phrase.ts';
import { isAboutChannel } from './topic.ts';

/** The figures of an alert: since when, how much, what was expected and from which history. */
export function factsOf(notice: AlertNotice, clock: Clock): Fact[] {
  const { event } = notice;
  const { evidence } = event;
  if (REGISTRY_KINDS.has(event.kind)) return keyDataFacts(evidence.key ?? {}, clock);
  if (isAboutChannel(event)) return [{ label: 'At', value: [fullMoment(event.at, clock)] }];
  return [
    ...whenOf(notice, clock),
    // What is measured where an alert ends without a recovery explains nothing.
    ...(evidence.limit || endReasonInWords(evidence.ended) !== undefined ? [] : measured(event, evidence)),
    ...limitFacts(evidence, event.phase === 'resolved' ? undefined : clock),
  ];
}

function whenOf({ event, since }: AlertNotice, clock: Clock): Fact[] {
  if (event.phase !== 'resolved') return [{ label: 'Since', value: [fullMoment(since, clock)] }];
  const lasted = formatDuration(Date.parse(event.at) - Date.parse(since));
  return [
    { label: 'From', value: [fullMoment(since, clock)] },
    { label: 'Until', value: [fullMoment(event.at, clock)] },
    { label: 'Lasted', value: [lasted] },
  ];
}

/** What the value of a kind is called. */
const VALUE_LABELS: Partial<Record<AlertKind, string>> = {
  error_rate: 'Failing',
  traffic_anomaly: 'Requests',
  latency: 'p95 latency',
  new_country: 'Requests',
};

function measured({ kind, phase }: AlertEvent, evidence: AlertEvidence): Fact[] {
  const { value, expected, unit, windowMinutes, baseline, statistic } = evidence;
  const facts: Fact[] = [];
  const window = windowMinutes === undefined ? '' : `, in ${formatDuration(windowMinutes * 60_000)}`;
  if (value !== undefined) {
    const label = phase === 'resolved' ? 'Now' : (VALUE_LABELS[kind] ?? 'Measured');
    facts.push({ label, value: [`${formatFigure(value, unit)}${window}`] });
  }
  if (expected !== undefined) {
    const history = baseline === undefined ? '' : `, from ${baseline}`;
    const few = unit === 'keys' && expected < 1;
    facts.push({
      label: 'Expected',
      value: [few ? 'less than one key, by chance' : `${formatFigure(expected, unit)}${history}`],
    });
  } else if (baseline !== undefined) facts.push({ label: 'Compared with', value: [baseline] });
  if (statistic && phase !== 'resolved') {
    const { name: statisticName, value: reached, threshold } = statistic;
    facts.push({
      label: 'Why now',
      value: [
        `${statisticName} ${formatStatistic(reached)}, ${sideOf(reached, threshold)} ${formatStatistic(threshold)}`,
      ],
    });
  }
  return facts;
}

/** Drops have negative scores; a chance is remarkable when it is small. */
const sideOf = (reached: number, threshold: number): string =>
  Math.abs(reached) >= Math.abs(threshold) ? 'beyond' : 'below';

const formatStatistic = (value: number): string => String(Number(value.toPrecision(3)));

const PERIOD_WORDS = { burst: 'at once', minute: 'per minute', day: 'per UTC day', month: 'per UTC month' } as const;

function limitFacts({ limit }: AlertEvidence, clock: Clock | undefined): Fact[] {
  if (!limit || limit.limit <= 0) return [];
  const facts: Fact[] = [
    {
      label: 'Used',
      value: [`${formatCount(limit.used)} of ${countOf(limit.limit, 'request')} ${PERIOD_WORDS[limit.period]}`],
    },
    { label: 'Left', value: [countOf(Math.max(0, limit.limit - limit.used), 'request')] },
  ];
  if (limit.fullAt && clock)
    facts.push({ label: 'Full at', value: [`${fullMoment(limit.fullAt, clock)}, at this pace`] });
  return facts;
}

/** Which key it is, for who does not know its name: id, first characters, organization, environment, owner. */
export function identityOf({ key, event }: AlertNotice): Phrase {
  if (!key) return event.key_id === '' ? [] : [code(event.key_id)];
  const place = [key.organization_id, key.environment].filter((part) => part !== '').map((part) => label(part));
  const owner = [key.owner_name, key.owner_email].filter((part) => part !== '').join(', ');
  const prefix = key.prefix === '' ? [] : [say`begins with ${{ ...label(key.prefix, 30), look: 'code' }}`];
  const parts: Phrase[] = [[code(key.key_id)], ...prefix, ...place.map((part) => [part])];
  if (owner !== '') parts.push(say`owner ${label(owner, 100)}`);
  return parts.flatMap((part, index) => (index === 0 ? part : [' · ', ...part]));
}
