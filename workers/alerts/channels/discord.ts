import { blockLine } from './message/chart.ts';
import { chartLegend, joinWithin, muteLabel, TONE_COLOURS } from './message/markup.ts';
import type { MessageModel, Section } from './message/model.ts';
import { type Phrase, renderPhrase } from './message/phrase.ts';

/** Discord's limits: text 2,000; of an embed title 256 and description 4,096; ten embeds, 6,000 characters in all. */
const MAX_TITLE = 256;
const MAX_EMBED = 1_700;
/** Rows come with one section at most. */
const MAX_ROWS_TEXT = 3_500;
const MAX_CONTENT = 1_900;

/** Body for a webhook (discord.com/developers/docs/resources/webhook#execute-webhook). */
export function discordPayload(model: MessageModel): object {
  const color = Number.parseInt(TONE_COLOURS[model.tone].slice(1), 16);
  const timestamp = new Date(model.atMs).toISOString();
  const embeds = model.sections.map((section) => ({
    title: title(`${section.badge}: ${section.headline}`),
    description: joinWithin(sectionLines(section), MAX_EMBED),
    color: Number.parseInt(TONE_COLOURS[section.tone].slice(1), 16),
    timestamp,
    ...(section.links.key ? { url: section.links.key } : {}),
  }));
  const rest = [...model.rows.map(rowLine), ...model.notes.map(escapeDiscord)];
  if (rest.length > 0) {
    embeds.push({ title: title('More'), description: joinWithin(rest, MAX_ROWS_TEXT), color, timestamp });
  }
  const content = model.intro ? joinWithin([phrase(model.intro)], MAX_CONTENT) : '';
  // Whatever the text says, nobody is called.
  return { content, embeds, allowed_mentions: { parse: [] } };
}

const title = (text: string): string => escapeDiscord(text).slice(0, MAX_TITLE);

function sectionLines(section: Section): string[] {
  const { chart, causes, links } = section;
  return [
    `${phrase(section.lead)}${section.remark === '' ? '' : ` ${escapeDiscord(section.remark)}`}`,
    ...(section.identity.length > 0 ? [phrase(section.identity)] : []),
    ...(chart ? [`\`${blockLine(chart.values)}\``, escapeDiscord(chartLegend(chart))] : []),
    ...section.facts.map(({ label, value }) => `**${escapeDiscord(label)}:** ${phrase(value)}`),
    ...(causes ? [`**${escapeDiscord(causes.title)}**`] : []),
    ...(causes?.rows ?? []).map(({ what, share, usual }) =>
      `• ${escapeDiscord(share)} ${phrase(what)} ${escapeDiscord(usual)}`.trim(),
    ),
    ...section.advice.map(escapeDiscord),
    ...(links.acknowledge ? [`[Acknowledge](${links.acknowledge})`] : []),
    ...links.mute.filter(({ days }) => days === 7).map(({ days, url }) => `[Mute for ${muteLabel(days)}](${url})`),
  ];
}

function rowLine(row: MessageModel['rows'][number]): string {
  return `• **${escapeDiscord(row.badge)}** ${phrase(row.lead)}${row.link ? ` [Open](${row.link})` : ''}`;
}

/** A backslash before what Discord's Markdown reads in the middle of a line. Our own lines never begin with a mark. */
function escapeDiscord(text: string): string {
  return text.replace(/[\\*_~`|[\]<@]/g, '\\$&');
}

/** Foreign text stands in a code span, where neither Markdown nor mentions nor addresses are read. */
function phrase(parts: Phrase): string {
  return renderPhrase(parts, escapeDiscord, ({ foreign }) => `\`${foreign.replaceAll('`', 'ˋ')}\``);
}
