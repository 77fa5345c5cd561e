import type { AlertEvidence, AlertKind } from '../../alert.ts';
import type { AlertNotice } from '../channel.ts';
import { countOf, formatCount, formatDuration, formatFigure } from './figures.ts';
import { keyDataFacts } from './key-sentences.ts';
import { type Fact, REGISTRY_KINDS } from './model.ts';
import { type Clock, fullMoment } from './moments.ts';
import { code, name, say } from './phrase.ts';

/** The figures of an alert: since when, how much, what was expected and from which history. */
export function factsOf(notice: AlertNotice, clock: Clock): Fact[] {
  const { event } = notice;
  const { evidence } = event;
  if (REGISTRY_KINDS.has(event.kind)) return [...keyDataFacts(evidence.key ?? {}, clock), ...aboutKey(notice)];
  return [
    ...whenOf(notice, clock),
    ...measured(event.kind, evidence),
    ...limitFacts(evidence, clock),
    ...aboutKey(notice),
  ];
}

function whenOf({ event, openedAt }: AlertNotice, clock: Clock): Fact[] {
  if (event.phase !== 'resolved') return [{ label: 'Since', value: [fullMoment(openedAt, clock)] }];
  const lasted = formatDuration(Date.parse(event.at) - Date.parse(openedAt));
  return [
    { label: 'From', value: [fullMoment(openedAt, clock)] },
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

function measured(kind: AlertKind, evidence: AlertEvidence): Fact[] {
  const { value, expected, unit, windowMinutes, baseline, statistic } = evidence;
  const facts: Fact[] = [];
  const window = windowMinutes === undefined ? '' : `, in ${formatDuration(windowMinutes * 60_000)}`;
  if (value !== undefined) {
    facts.push({ label: VALUE_LABELS[kind] ?? 'Measured', value: [`${formatFigure(value, unit)}${window}`] });
  }
  const usual = expected === undefined ? '' : formatFigure(expected, unit);
  const history = baseline === undefined ? '' : `from ${baseline}`;
  const expectation = [usual, history].filter((part) => part !== '').join(', ');
  if (expectation !== '') facts.push({ label: 'Expected', value: [expectation] });
  if (statistic) {
    const { name: statisticName, value: reached, threshold } = statistic;
    facts.push({
      label: 'Why now',
      value: [`${statisticName} ${formatStatistic(reached)}, beyond ${formatStatistic(threshold)}`],
    });
  }
  return facts;
}

const formatStatistic = (value: number): string => String(Number(value.toPrecision(3)));

const PERIOD_WORDS = { burst: 'at once', minute: 'per minute', day: 'per UTC day', month: 'per UTC month' } as const;

function limitFacts({ limit }: AlertEvidence, clock: Clock): Fact[] {
  if (!limit) return [];
  const facts: Fact[] = [
    {
      label: 'Used',
      value: [`${formatCount(limit.used)} of ${countOf(limit.limit, 'request')} ${PERIOD_WORDS[limit.period]}`],
    },
    { label: 'Left', value: [countOf(Math.max(0, limit.limit - limit.used), 'request')] },
  ];
  if (limit.fullAt) facts.push({ label: 'Full at', value: [`${fullMoment(limit.fullAt, clock)}, at this pace`] });
  return facts;
}

function aboutKey({ key, event }: AlertNotice): Fact[] {
  if (!key) return event.key_id === '' ? [] : [{ label: 'Key', value: [code(event.key_id)] }];
  const facts: Fact[] = [
    {
      label: 'Key',
      value: key.prefix === '' ? [code(key.key_id)] : say`${code(key.key_id)}, begins with ${code(key.prefix)}`,
    },
  ];
  const place = [key.organization_id, key.environment].filter((part) => part !== '');
  if (place.length > 0) facts.push({ label: 'Belongs to', value: [name(place.join(', '))] });
  if (key.owner_name !== '' || key.owner_email !== '') {
    facts.push({ label: 'Owner', value: [name([key.owner_name, key.owner_email].filter(Boolean).join(', '))] });
  }
  return facts;
}
