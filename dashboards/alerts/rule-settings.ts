import { numberText } from '../forms/shown-text.ts';
import type { AlertKind } from '../http/contract/alerts.ts';

/** One threshold of a kind, as the form shows it. */
export interface RuleSetting {
  name: string;
  label: string;
  shape: 'number' | 'percent' | 'switch' | 'words' | 'numbers';
  /** How it reads in a sentence, `{}` for the value; switches read as their label. */
  says: string;
  /** The words that can be ticked; any when absent. */
  options?: readonly (readonly [value: string, label: string])[];
  hint?: string;
}

const number = (name: string, label: string, says: string, hint?: string): RuleSetting => ({
  name,
  label,
  shape: 'number',
  says,
  hint,
});
const percent = (name: string, label: string, says: string): RuleSetting => ({ name, label, shape: 'percent', says });
const toggle = (name: string, label: string): RuleSetting => ({
  name,
  label,
  shape: 'switch',
  says: label.toLowerCase(),
});
const AT_LEAST = ['Of at least, requests', 'of at least {} requests'] as const;

/** What can be set of each kind, in the api's names. A kind without settings fires by itself. */
export const RULE_SETTINGS: Partial<Record<AlertKind, readonly RuleSetting[]>> = {
  error_rate: [
    percent('min_ratio', 'Server errors from, %', 'server errors from {}%'),
    percent('min_client_ratio', 'Client errors from, %', 'client errors from {}%'),
    number('times_usual', 'Times the usual rate', '{} times the usual rate'),
    number('min_errors', 'Of at least, errors', 'at least {} errors'),
    percent('critical_ratio', 'Critical from, %', 'critical from {}%'),
    {
      name: 'scopes',
      label: 'Looks at',
      shape: 'words',
      says: 'looks at {}',
      options: [
        ['server_errors', '5xx'],
        ['client_errors', '4xx'],
        ['refused', '401 and 403'],
        ['rate_limited', '429'],
      ],
    },
  ],
  traffic_anomaly: [
    toggle('spike', 'Spikes'),
    toggle('drop', 'Drops'),
    toggle('silence', 'Silence'),
    number(
      'threshold_factor',
      'How strange',
      '{} times the measured threshold',
      '1 = as measured, 2 = twice as strange',
    ),
    number('min_requests', ...AT_LEAST),
  ],
  latency: [
    number('times_slower', 'Times slower than usual', '{} times slower than usual'),
    number('min_requests', ...AT_LEAST),
  ],
  new_country: [
    number('min_requests', ...AT_LEAST),
    {
      name: 'expected_countries',
      label: 'Expected countries',
      shape: 'words',
      says: 'never for {}',
      hint: 'Codes as SE, DE',
    },
  ],
  country_mix: [
    number(
      'min_distance',
      'Distance from usual',
      '{} away from the usual mix',
      '0 = the same mix, 1 = nothing in common',
    ),
    number('min_requests', ...AT_LEAST),
  ],
  near_limit: [
    { name: 'steps_percent', label: 'Tell at, % of the limit', shape: 'numbers', says: 'at {} % of the limit' },
    {
      name: 'periods',
      label: 'Limits',
      shape: 'words',
      says: 'per {}',
      options: [
        ['burst', 'burst'],
        ['minute', 'minute'],
        ['day', 'day'],
        ['month', 'month'],
      ],
    },
  ],
  platform: [
    number('min_keys', 'At least, keys', 'at least {} keys'),
    percent('min_share', 'Of the active keys, %', '{}% of the active keys together'),
  ],
};

/** A stored value as the form writes it. */
export function shownValue({ shape }: RuleSetting, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (shape === 'percent') return numberText(Number(value), 100);
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** Settings in one line: "server errors from 5% · 3 times the usual rate". */
export function settingsText(kind: AlertKind, settings: Record<string, unknown>): string {
  const parts = (RULE_SETTINGS[kind] ?? []).map((setting) => {
    const value = settings[setting.name];
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return '';
    const words = Array.isArray(value)
      ? value.map((one) => setting.options?.find(([name]) => name === one)?.[1] ?? one).join(', ')
      : shownValue(setting, value);
    return setting.says.replace('{}', words);
  });
  return parts.filter(Boolean).join(' · ');
}
