import { blockLine } from './message/chart.ts';
import { chartLegend, muteLabel } from './message/markup.ts';
import type { MessageModel, Section, Tone } from './message/model.ts';
import type { Phrase } from './message/phrase.ts';

/** Teams refuses more than 28 kB; the rest is room for its own envelope. */
const MAX_BYTES = 26_000;

const COLOURS: Readonly<Record<Tone, string>> = {
  critical: 'attention',
  warning: 'warning',
  info: 'accent',
  good: 'good',
};

type Run = {
  type: 'TextRun';
  text: string;
  weight?: 'bolder';
  fontType?: 'monospace';
  color?: string;
  isSubtle?: boolean;
};

/**
 * Body for a webhook of Teams Workflows: one Adaptive Card (adaptivecards.io, 1.4). All text stands in RichTextBlocks, whose
 * runs are not read as Markdown, so nothing in them becomes a link, emphasis or mention.
 */
export function teamsPayload(model: MessageModel): object {
  let shown = model;
  let body = envelope(shown);
  // Rows and sections go from the end until it fits; what went is said.
  while (Buffer.byteLength(JSON.stringify(body)) > MAX_BYTES && shown.rows.length + shown.sections.length > 1) {
    shown = shorter(shown);
    body = envelope(shown);
  }
  return body;
}

function shorter(model: MessageModel): MessageModel {
  const notes = ['Some of the alerts are left out here; Keytally lists them all.'];
  const { rows, sections } = model;
  if (rows.length > 0) return { ...model, notes, rows: rows.slice(0, Math.floor(rows.length / 2)) };
  return { ...model, notes, sections: sections.slice(0, -1) };
}

function envelope(model: MessageModel): object {
  const body = [
    ...(model.intro
      ? [rich([...badgeRuns(model.sections.length === 0 ? model : undefined), ...runs(model.intro)])]
      : []),
    ...model.sections.flatMap(sectionBlocks),
    ...model.rows.map((row) => rich([...badgeRuns(row), ...runs(row.lead)])),
    ...model.notes.map((note) => rich([{ type: 'TextRun', text: note, isSubtle: true }])),
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body,
    actions: model.sections.slice(0, 1).flatMap(actionsOf),
  };
  return {
    type: 'message',
    summary: safe(model.subject),
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  };
}

function sectionBlocks(section: Section): object[] {
  const { chart, causes } = section;
  const blocks = [
    rich([
      ...badgeRuns(section),
      ...runs(section.lead),
      ...(section.remark === '' ? [] : runs([` ${section.remark}`])),
    ]),
  ];
  if (section.identity.length > 0) blocks.push(rich(runs(section.identity).map((run) => ({ ...run, isSubtle: true }))));
  if (chart) {
    blocks.push(rich([{ type: 'TextRun', text: blockLine(chart.values), fontType: 'monospace' }]));
    blocks.push(rich([{ type: 'TextRun', text: chartLegend(chart), isSubtle: true }]));
  }
  for (const { label, value } of section.facts) blocks.push(rich([bold(`${label}: `), ...runs(value)]));
  if (causes) blocks.push(rich([bold(causes.title)]));
  for (const { what, share, usual } of causes?.rows ?? []) {
    blocks.push(rich([bold(`${share} `), ...runs(what), ...(usual === '' ? [] : runs([` (${usual})`]))]));
  }
  for (const advice of section.advice) blocks.push(rich(runs([advice])));
  return blocks;
}

function actionsOf({ links }: Section): object[] {
  const open = (title: string, url: string) => ({ type: 'Action.OpenUrl', title, url });
  return [
    ...(links.key ? [open('Open the key', links.key)] : []),
    ...(links.acknowledge ? [open('Acknowledge', links.acknowledge)] : []),
    ...links.mute.filter(({ days }) => days === 7).map(({ days, url }) => open(`Mute for ${muteLabel(days)}`, url)),
  ];
}

function badgeRuns(of: { tone: Tone; badge: string } | undefined): Run[] {
  return of ? [{ type: 'TextRun', text: `${of.badge}  `, weight: 'bolder', color: COLOURS[of.tone] }] : [];
}

const LOOKS = { code: { fontType: 'monospace' }, name: { weight: 'bolder' }, text: {} } as const;

function runs(phrase: Phrase): Run[] {
  return phrase.map((part) =>
    typeof part === 'string'
      ? { type: 'TextRun', text: safe(part) }
      : {
          type: 'TextRun',
          text: safe(part.foreign),
          ...LOOKS[part.look],
        },
  );
}

const bold = (text: string): Run => ({ type: 'TextRun', text: safe(text), weight: 'bolder' });
const rich = (inlines: readonly Run[]) => ({ type: 'RichTextBlock', inlines });

/** Cards replace {{DATE(…)}} and ${…} in any text; a gap takes that meaning away. */
const safe = (text: string): string => text.replace(/([{$])(?=\{)/g, '$1 ');
