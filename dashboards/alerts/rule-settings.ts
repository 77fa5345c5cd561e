import type { AlertKind } from '../http/contract.ts';

/** One threshold of a kind, as the form shows it. */
export interface RuleSetting {
  name: string;
  label: string;
  shape: 'number' | 'percent' | 'switch' | 'words' | 'numbers';
  /** The words that can be ticked; any when absent. */
  options?: readonly (readonly [value: string, label: string])[];
  hint?: string;
}

const number = (name: string, label: string, hint?: string): RuleSetting => ({ name, label, shape: 'number', hint });
const percent = (name: string, label: string, hint?: string): RuleSetting => ({ name, label, shape: 'percent', hint });
const toggle = (name: string, label: string): RuleSetting => ({ name, label, shape: 'switch' });

/** What can be set of each kind, in the api's names. A kind without settings fires by itself. */
export const RULE_SETTINGS: Partial<Record<AlertKind, readonly RuleSetting[]>> = {
  error_rate: [
    percent('min_ratio', 'Server errors from, %'),
    percent('min_client_ratio', 'Client errors from, %'),
    number('times_usual', 'Times the usual rate'),
    number('min_errors', 'Of at least, errors'),
    percent('critical_ratio', 'Critical from, %'),
    {
      name: 'scopes',
      label: 'Looks at',
      shape: 'words',
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
    number('threshold_factor', 'How strange', '1 = as measured, 2 = twice as strange'),
    number('min_requests', 'Of at least, requests'),
  ],
  latency: [number('times_slower', 'Times slower than usual'), number('min_requests', 'Of at least, requests')],
  new_country: [
    number('min_requests', 'Of at least, requests'),
    { name: 'expected_countries', label: 'Expected countries', shape: 'words', hint: 'Codes as SE, DE' },
  ],
  country_mix: [
    number('min_distance', 'Distance from usual', '0 = the same mix, 1 = nothing in common'),
    number('min_requests', 'Of at least, requests'),
  ],
  near_limit: [
    { name: 'steps_percent', label: 'Tell at, % of the limit', shape: 'numbers' },
    {
      name: 'periods',
      label: 'Limits',
      shape: 'words',
      options: [
        ['burst', 'burst'],
        ['minute', 'a minute'],
        ['day', 'a day'],
        ['month', 'a month'],
      ],
    },
  ],
  platform: [number('min_keys', 'At least, keys'), percent('min_share', 'Of the active keys, %')],
};

const rounded = (value: number) => String(Math.round(value * 1e6) / 1e6);

/** A stored value as the form writes it. */
export function shownValue({ shape }: RuleSetting, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (shape === 'percent') return rounded(Number(value) * 100);
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** Settings in one line: "Server errors from, % 5 · Times the usual rate 3". */
export function settingsText(kind: AlertKind, settings: Record<string, unknown>): string {
  const parts = (RULE_SETTINGS[kind] ?? []).map((setting) => {
    const value = settings[setting.name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
    if (setting.shape === 'switch') return value ? setting.label : '';
    const words = Array.isArray(value)
      ? value.map((one) => setting.options?.find(([name]) => name === one)?.[1] ?? one).join(', ')
      : shownValue(setting, value);
    return `${setting.label} ${words}`;
  });
  return parts.filter(Boolean).join(' · ');
}
