import type { z } from 'zod';
import type { AlertEvidence } from '../../workers/alerts/alert.ts';
import type { Applied } from '../../workers/alerts/rules/apply-rules.ts';
import type { Preview } from '../../workers/alerts/rules/preview.ts';
import type { Rule } from '../../workers/alerts/rules/rule.ts';
import type { AlertResponse } from '../routes/alerts.ts';
import { facts, table } from './table.ts';
import { clock, count, moment, percent, sparkline } from './wording.ts';

type Alert = z.infer<typeof AlertResponse>;

export interface AlertPage {
  data: Alert[];
  next_cursor: string | null;
}

export interface AlertDetail extends Alert {
  events: {
    at: string;
    transition: string;
    notify: string;
    withheld: string;
    phase: string;
    severity: string;
    actor: string;
  }[];
}

export interface RuleList {
  data: Rule[];
}

const LIST = [
  { title: 'alert', whole: true },
  { title: 'opened' },
  { title: 'kind' },
  { title: 'scope' },
  { title: 'key' },
  { title: 'phase' },
  { title: 'severity' },
  { title: 'what', whole: true },
];

/** The list as a table. @param more how the next page is asked for */
export function alertsText({ data }: AlertPage, more: string): string {
  if (data.length === 0) return 'no such alerts\n';
  const rows = data.map((alert) => [
    alert.alert_id,
    clock(alert.opened_at),
    alert.kind,
    alert.scope,
    alert.key_id,
    alert.acknowledged ? `${alert.phase}, seen` : alert.phase,
    alert.severity,
    alert.summary,
  ]);
  return table(LIST, rows) + more;
}

export function alertText(alert: AlertDetail): string {
  const evidence = alert.evidence as unknown as AlertEvidence;
  const { acknowledged, events } = alert;
  const head = facts([
    ['alert', alert.alert_id],
    ['what', alert.summary],
    ['kind', [alert.kind, alert.scope].filter((one) => one !== '').join(', ')],
    ['key', alert.key_id],
    ['organization', alert.organization_id],
    ['phase', alert.phase],
    ['severity', alert.severity],
    ['opened', moment(alert.opened_at)],
    ['resolved', moment(alert.resolved_at)],
    ['acknowledged', acknowledged ? `by ${acknowledged.by}, ${moment(acknowledged.at)}` : ''],
    ['withheld', alert.withheld],
    ['rule', alert.rule_id],
    ['history', evidence.baseline ?? ''],
  ]);
  const chart = evidence.chart ? `\n${sparkline(evidence.chart.values)}\n` : '';
  return head + chart + causesText(evidence) + stepsText(events);
}

function causesText({ contributions = [] }: AlertEvidence): string {
  if (contributions.length === 0) return '';
  const columns = [
    { title: 'most of it' },
    { title: 'value' },
    { title: 'requests', right: true },
    { title: 'share', right: true },
    { title: 'usual', right: true },
  ];
  const rows = contributions.map((one) => [
    one.dimension,
    one.value,
    count(one.requests),
    percent(one.share),
    one.usualShare === null ? '–' : percent(one.usualShare),
  ]);
  return `\n${table(columns, rows)}`;
}

function stepsText(events: AlertDetail['events']): string {
  if (events.length === 0) return '';
  const columns = [
    { title: 'at' },
    { title: 'step' },
    { title: 'phase' },
    { title: 'severity' },
    { title: 'told' },
    { title: 'by' },
  ];
  const rows = events.map((event) => [
    clock(event.at),
    event.transition,
    event.phase,
    event.severity,
    event.notify || event.withheld,
    event.actor,
  ]);
  return `\n${table(columns, rows)}`;
}

export function rulesText({ data }: RuleList): string {
  if (data.length === 0) return 'no rules: the defaults hold\n';
  const columns = [
    { title: 'rule', whole: true },
    { title: 'name' },
    { title: 'kind' },
    { title: 'for' },
    { title: 'settings', whole: true },
    { title: 'made by' },
  ];
  const rows = data.map((rule) => {
    const scope = [rule.organization_id, rule.environment, rule.plan, rule.key_id].filter((one) => one !== '');
    const settings = rule.enabled ? JSON.stringify(rule.settings) : 'off';
    return [rule.rule_id, rule.name, rule.kind, scope.join(', ') || 'everything', settings, rule.source];
  });
  return table(columns, rows);
}

export function appliedText({ created, updated, deleted, unchanged }: Applied): string {
  return `${created} created, ${updated} changed, ${deleted} deleted, ${unchanged} as they were\n`;
}

export function previewText({ fired, days, alerts, keys_looked_at, cut }: Preview): string {
  const times = fired === 1 ? 'once' : `${count(fired)} times`;
  const head = `would have fired ${times} in ${days === 1 ? 'a day' : `${days} days`} (${count(keys_looked_at)} ${keys_looked_at === 1 ? 'key' : 'keys'} looked at)${cut === '' ? '' : `; ${cut}`}\n`;
  if (alerts.length === 0) return head;
  const columns = [
    { title: 'at' },
    { title: 'key' },
    { title: 'scope' },
    { title: 'severity' },
    { title: 'what', whole: true },
  ];
  return (
    head +
    table(
      columns,
      alerts.map((one) => [clock(one.at), one.key_id, one.scope, one.severity, one.summary]),
    )
  );
}
