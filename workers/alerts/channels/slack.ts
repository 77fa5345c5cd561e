import { blockLine } from './message/chart.ts';
import { chartLegend, joinWithin, leadOf, muteLabel, TONE_COLOURS } from './message/markup.ts';
import type { MessageModel, Section } from './message/model.ts';
import { type Phrase, plain, renderPhrase } from './message/phrase.ts';

/** Slack refuses a text object beyond 3,000 characters, a field beyond 2,000, ten fields and fifty blocks. */
const MAX_TEXT = 2_900;
const MAX_FIELD = 1_900;
const MAX_FIELDS = 10;

/**
 * Body for an incoming webhook (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks): blocks in a coloured
 * attachment, and plain text for notifications. Links instead of buttons: a button needs an app with interactivity.
 */
export function slackPayload(model: MessageModel): object {
  return {
    text: escapeSlack(`${model.badge}: ${plain(leadOf(model))}`).slice(0, MAX_TEXT),
    // Nothing in the text is looked for: no channel names, no people, no addresses, no previews.
    mrkdwn: false,
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    attachments: [{ color: TONE_COLOURS[model.tone], fallback: escapeSlack(model.subject), blocks: blocksOf(model) }],
  };
}

function blocksOf(model: MessageModel): object[] {
  return [
    ...(model.intro ? [section(phrase(model.intro))] : []),
    ...model.sections.flatMap(sectionBlocks),
    ...(model.rows.length > 0 ? [section(joinWithin(model.rows.map(rowLine), MAX_TEXT))] : []),
    ...model.notes.map((note) => context(escapeSlack(note))),
  ];
}

function sectionBlocks(part: Section): object[] {
  const lead = `*${escapeSlack(part.badge)}*  ${phrase(part.lead)}`;
  const blocks: object[] = [section(part.remark === '' ? lead : `${lead} ${escapeSlack(part.remark)}`)];
  if (part.identity.length > 0) blocks.push(context(phrase(part.identity)));
  if (part.chart) blocks.push(section(`\`${blockLine(part.chart.values)}\`\n${escapeSlack(chartLegend(part.chart))}`));
  const fields = part.facts
    .slice(0, MAX_FIELDS)
    .map(({ label, value }) => mrkdwn(joinWithin([`*${escapeSlack(label)}*`, phrase(value)], MAX_FIELD)));
  if (fields.length > 0) blocks.push({ type: 'section', fields });
  if (part.causes) {
    const rows = part.causes.rows.map(
      ({ what, share, usual }) =>
        `• *${escapeSlack(share)}* ${phrase(what)}${usual === '' ? '' : ` (${escapeSlack(usual)})`}`,
    );
    blocks.push(section(joinWithin([`*${escapeSlack(part.causes.title)}*`, ...rows], MAX_TEXT)));
  }
  if (part.advice.length > 0) blocks.push(section(escapeSlack(part.advice.join(' '))));
  const links = linksLine(part);
  if (links !== '') blocks.push(context(links));
  return blocks;
}

function linksLine({ links }: Section): string {
  const parts = [
    ...(links.key ? [link(links.key, 'Open the key')] : []),
    ...(links.acknowledge ? [link(links.acknowledge, 'Acknowledge')] : []),
    ...links.mute.map(({ days, url }) => link(url, `Mute for ${muteLabel(days)}`)),
  ];
  return joinWithin(parts, MAX_TEXT, '  ·  ');
}

function rowLine(row: MessageModel['rows'][number]): string {
  return `• *${escapeSlack(row.badge)}* ${phrase(row.lead)}${row.link ? ` ${link(row.link, 'Open')}` : ''}`;
}

/** Slack reads markup in these three characters only; everything else is told apart by code spans. */
function escapeSlack(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** Foreign text stands in a code span, where no emphasis, emoji, mention or address is read. It cannot end the span itself. */
function phrase(parts: Phrase): string {
  return renderPhrase(parts, escapeSlack, ({ foreign }) => `\`${escapeSlack(foreign.replaceAll('`', 'ˋ'))}\``);
}

const link = (url: string, text: string): string => `<${escapeSlack(url).replaceAll('|', '%7C')}|${text}>`;
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });
const section = (text: string) => ({ type: 'section', text: mrkdwn(text) });
const context = (text: string) => ({ type: 'context', elements: [mrkdwn(text)] });
