import { blockLine } from './chart.ts';
import { chartLegend, muteLabel } from './markup.ts';
import type { MessageModel, Section } from './model.ts';
import { plain } from './phrase.ts';

/** The plain part of a mail: the same words, block characters for the chart, addresses written out. */
export function mailText(model: MessageModel, unsubscribe: string | undefined): string {
  const blocks = [
    ...(model.intro ? [plain(model.intro)] : []),
    ...model.sections.map(sectionText),
    ...(model.rows.length > 0 ? [model.rows.map(rowText).join('\n')] : []),
    ...model.notes,
    `--\nKeytally${unsubscribe ? `\nNo more mails of this channel: ${unsubscribe}` : ''}`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

function sectionText(section: Section): string {
  const lead = [plain(section.lead), section.remark].filter((part) => part !== '').join(' ');
  return [
    `[${section.badge}] ${lead}`,
    plain(section.identity),
    chartText(section),
    factsText(section),
    causesText(section),
    ...section.advice,
    linksText(section),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function chartText({ chart }: Section): string {
  return chart ? `${blockLine(chart.values)}\n${chartLegend(chart)}` : '';
}

function factsText({ facts }: Section): string {
  const width = Math.max(0, ...facts.map((fact) => fact.label.length));
  return facts.map((fact) => `${`${fact.label}:`.padEnd(width + 2)}${plain(fact.value)}`).join('\n');
}

function causesText({ causes }: Section): string {
  if (!causes) return '';
  const rows = causes.rows.map(
    ({ what, share, usual }) => `  ${share.padStart(5)}  ${plain(what)}${usual === '' ? '' : ` (${usual})`}`,
  );
  return [`${causes.title}:`, ...rows].join('\n');
}

function linksText({ links }: Section): string {
  const mute = links.mute.map(({ days, url }) => `Mute for ${muteLabel(days)}: ${url}`);
  return [
    ...(links.key ? [`Open the key: ${links.key}`] : []),
    ...(links.acknowledge ? [`Acknowledge: ${links.acknowledge}`] : []),
    ...mute,
  ].join('\n');
}

function rowText(row: MessageModel['rows'][number]): string {
  return `- [${row.badge}] ${plain(row.lead)}${row.link ? `\n  ${row.link}` : ''}`;
}
