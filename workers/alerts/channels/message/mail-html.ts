import { CHART_HEIGHT, CHART_WIDTH } from './chart-png.ts';
import { leadOf, muteLabel, TONE_COLOURS } from './markup.ts';
import type { MessageModel, Section, Tone } from './model.ts';
import { type ForeignSpan, type Phrase, plain, renderPhrase } from './phrase.ts';

/**
 * The HTML part of a mail: tables and inline styles (what every mail program reads), at most 600 px wide, nothing loaded from
 * anywhere. Charts are referred to by Content-ID.
 */
export interface MailHtmlOptions {
  /** Content-ID of the chart of the section with this index; undefined when it has none. */
  chartCid(index: number): string | undefined;
  /** Name of the channel and address to leave it. */
  channelName: string;
  unsubscribe: string | undefined;
}

const FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace";
const TEXT = '#171b24';
const DIM = '#5d6675';
const LINE = '#e3e6eb';
const ACCENT = '#4556c9';
/** The tally of the console, from characters: a picture would have to be loaded or carried. */
const MARK = `<span aria-hidden="true" style="display:inline-block;width:20px;height:20px;border-radius:5px;background:${ACCENT};color:#ffffff;font-size:11px;line-height:19px;font-weight:700;text-align:center;vertical-align:middle;text-decoration:line-through">||||</span>`;
/** Badge: text on soft ground, contrast of at least 5 to 1 (WCAG 2.2, 1.4.3 asks for 4.5). */
const BADGES: Readonly<Record<Tone, { ground: string; text: string }>> = {
  critical: { ground: '#fdeef0', text: '#a11d33' },
  warning: { ground: '#fdf3dc', text: '#7a4f00' },
  info: { ground: '#eceefb', text: '#3645b0' },
  good: { ground: '#e5f5ef', text: '#0a6a4e' },
};

/** Phones lay the mail out over their whole width; the rules are few because some programs drop them all. */
const STYLE = `body{margin:0;padding:0;background:#f6f7f9}
@media (max-width:620px){.page{padding:16px 0!important}.card{border-radius:0!important;border-left:0!important;border-right:0!important}.pad{padding-left:20px!important;padding-right:20px!important}.lead{font-size:18px!important;line-height:26px!important}.button a{display:block!important;text-align:center!important}.button{display:block!important;padding:0 0 10px!important}}`;

export function mailHtml(model: MessageModel, options: MailHtmlOptions): string {
  const sections = model.sections.map((section, index) => sectionHtml(section, options.chartCid(index)));
  const isAlone = model.sections.length === 0;
  const size = isAlone ? 'margin:14px 0 0;font-size:20px;line-height:28px' : 'margin:0;font-size:15px;line-height:22px';
  const intro = model.intro
    ? `<tr><td class="pad" style="padding:${isAlone ? 28 : 20}px 32px ${isAlone ? 12 : 0}px">${isAlone ? badge(model.tone, model.badge) : ''}<p style="${size};color:${isAlone ? TEXT : DIM}">${phrase(model.intro)}</p></td></tr>`
    : '';
  const rows =
    model.rows.length === 0
      ? ''
      : `<tr><td class="pad" style="padding:16px 32px 8px">${table(model.rows.map(rowHtml))}</td></tr>`;
  const notes = model.notes
    .map(
      (note) =>
        `<tr><td class="pad" style="padding:4px 32px 12px;font-size:14px;line-height:20px;color:${DIM}">${escapeHtml(note)}</td></tr>`,
    )
    .join('');
  return page(model, [intro, sections.join(divider()), rows, notes].join(''), options);
}

/** Text of a mail between tags and in attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(model: MessageModel, content: string, options: MailHtmlOptions): string {
  const stripe = TONE_COLOURS[model.tone];
  const preview = escapeHtml(plain(leadOf(model)));
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light"><meta name="supported-color-schemes" content="light"><meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no"><title>${escapeHtml(model.subject)}</title><style>${STYLE}</style></head>
<body style="margin:0;padding:0;background:#f6f7f9;-webkit-text-size-adjust:100%">
<div style="display:none;max-height:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;color:#f6f7f9">${preview}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f6f7f9"><tr><td class="page" align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;font-family:${FONT};text-align:left">
<tr><td class="pad" style="padding:0 4px 12px;font-size:14px;line-height:20px;font-weight:600;color:${TEXT}">${MARK}&nbsp; Keytally</td></tr>
<tr><td><table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#ffffff;border:1px solid ${LINE};border-top:4px solid ${stripe};border-radius:8px">${content}</table></td></tr>
<tr><td class="pad" style="padding:16px 4px 0;font-size:12px;line-height:18px;color:${DIM}">${footer(options)}</td></tr>
</table></td></tr></table></body></html>`;
}

function footer({ channelName, unsubscribe }: MailHtmlOptions): string {
  const why = `Sent by Keytally to the channel <bdi>${escapeHtml(channelName)}</bdi>.`;
  return unsubscribe ? `${why} ${anchor(unsubscribe, 'Unsubscribe', DIM)}` : why;
}

function sectionHtml(section: Section, cid: string | undefined): string {
  const remark =
    section.remark === ''
      ? ''
      : `<p style="margin:8px 0 0;font-size:15px;line-height:22px;color:${DIM}">${escapeHtml(section.remark)}</p>`;
  const identity =
    section.identity.length === 0
      ? ''
      : `<p style="margin:10px 0 0;font-size:13px;line-height:20px;color:${DIM};word-break:break-word;overflow-wrap:anywhere">${phrase(section.identity)}</p>`;
  return [
    `<tr><td class="pad" style="padding:28px 32px 0">${badge(section.tone, section.badge)}<p class="lead" style="margin:14px 0 0;font-size:20px;line-height:28px;color:${TEXT}">${phrase(section.lead)}</p>${remark}${identity}</td></tr>`,
    chartHtml(section, cid),
    factsHtml(section),
    causesHtml(section),
    adviceHtml(section),
    linksHtml(section),
  ].join('');
}

function badge(tone: Tone, text: string): string {
  const { ground, text: colour } = BADGES[tone];
  return `<span style="display:inline-block;padding:3px 10px;border-radius:11px;background:${ground};color:${colour};font-size:12px;line-height:16px;font-weight:600">${escapeHtml(text)}</span>`;
}

function chartHtml({ chart }: Section, cid: string | undefined): string {
  if (!chart || !cid) return '';
  const cell = `font-size:12px;line-height:16px;color:${DIM};white-space:nowrap`;
  const hasExpected = chart.expected.some((one) => one !== null);
  const legend = hasExpected
    ? `<span style="display:inline-block;width:14px;height:0;border-top:2px solid #37415c;vertical-align:middle"></span>&nbsp; expected`
    : '';
  return `<tr><td class="pad" style="padding:22px 32px 0"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
<tr><td style="${cell};padding-bottom:6px">at most ${escapeHtml(chart.topLabel)}</td><td align="right" style="${cell};padding-bottom:6px">${legend}</td></tr>
<tr><td colspan="2"><img src="cid:${escapeHtml(cid)}" width="${CHART_WIDTH}" height="${CHART_HEIGHT}" alt="${escapeHtml(chart.description)}" style="display:block;width:100%;max-width:100%;height:${CHART_HEIGHT}px;border:0"></td></tr>
<tr><td style="${cell};padding-top:6px">${escapeHtml(chart.startLabel)}</td><td align="right" style="${cell};padding-top:6px">${escapeHtml(chart.endLabel)}</td></tr></table></td></tr>`;
}

function factsHtml({ facts }: Section): string {
  if (facts.length === 0) return '';
  const rows = facts.map(
    ({ label, value }) =>
      `<tr><td valign="top" style="padding:5px 16px 5px 0;color:${DIM};white-space:nowrap">${escapeHtml(label)}</td><td valign="top" width="100%" style="padding:5px 0;color:${TEXT};word-break:break-word;overflow-wrap:anywhere">${phrase(value)}</td></tr>`,
  );
  return `<tr><td class="pad" style="padding:18px 32px 0;font-size:14px;line-height:20px">${table(rows)}</td></tr>`;
}

function causesHtml({ causes }: Section): string {
  if (!causes) return '';
  const rows = causes.rows.map(
    ({ what, share, usual }) =>
      `<tr><td valign="top" align="right" style="padding:6px 14px 6px 0;border-top:1px solid ${LINE};font-weight:600;white-space:nowrap;color:${TEXT}">${escapeHtml(share)}</td><td valign="top" width="100%" style="padding:6px 0;border-top:1px solid ${LINE};color:${TEXT};word-break:break-word;overflow-wrap:anywhere">${phrase(what)}</td><td valign="top" align="right" style="padding:6px 0 6px 14px;border-top:1px solid ${LINE};color:${DIM};white-space:nowrap">${escapeHtml(usual)}</td></tr>`,
  );
  return `<tr><td class="pad" style="padding:22px 32px 0;font-size:14px;line-height:20px">${heading(causes.title)}${table(rows)}</td></tr>`;
}

function adviceHtml({ advice }: Section): string {
  if (advice.length === 0) return '';
  return `<tr><td class="pad" style="padding:22px 32px 0;font-size:14px;line-height:21px;color:${TEXT}">${heading('What to do')}${advice.map(escapeHtml).join(' ')}</td></tr>`;
}

const heading = (text: string): string =>
  `<p style="margin:0 0 6px;font-size:14px;line-height:20px;font-weight:600;color:${TEXT}">${escapeHtml(text)}</p>`;

function linksHtml({ links }: Section): string {
  const buttons = [
    links.key ? button(links.key, 'Open the key', true) : '',
    links.acknowledge ? button(links.acknowledge, 'Acknowledge', false) : '',
  ].join('');
  const mutes = links.mute.map(({ days, url }) => anchor(url, muteLabel(days), ACCENT)).join(' &middot; ');
  const mute =
    mutes === ''
      ? ''
      : `<p style="margin:14px 0 0;font-size:13px;line-height:20px;color:${DIM}">Mute this alert for ${mutes}</p>`;
  if (buttons === '' && mute === '') return '<tr><td style="padding:0 0 28px"></td></tr>';
  return `<tr><td class="pad" style="padding:24px 32px 28px">${buttons}${mute}</td></tr>`;
}

function button(url: string, text: string, isFirst: boolean): string {
  const look = isFirst
    ? `background:${ACCENT};border:1px solid ${ACCENT};color:#ffffff`
    : `background:#ffffff;border:1px solid #c9cfda;color:${TEXT}`;
  return `<span class="button" style="display:inline-block;padding:0 10px 0 0"><a href="${escapeHtml(url)}" style="display:inline-block;padding:9px 18px;border-radius:6px;font-size:14px;line-height:20px;font-weight:600;text-decoration:none;${look}">${text}</a></span>`;
}

function anchor(url: string, text: string, colour: string): string {
  return `<a href="${escapeHtml(url)}" style="color:${colour}">${escapeHtml(text)}</a>`;
}

function rowHtml(row: MessageModel['rows'][number]): string {
  const link = row.link ? anchor(row.link, 'Open', ACCENT) : '';
  return `<tr><td valign="top" style="padding:9px 12px 9px 0;border-top:1px solid ${LINE};white-space:nowrap">${badge(row.tone, row.badge)}</td><td valign="top" width="100%" style="padding:9px 0;border-top:1px solid ${LINE};font-size:14px;line-height:20px;color:${TEXT};word-break:break-word;overflow-wrap:anywhere">${phrase(row.lead)}</td><td valign="top" style="padding:9px 0 9px 12px;border-top:1px solid ${LINE};font-size:14px;line-height:20px">${link}</td></tr>`;
}

function table(rows: readonly string[]): string {
  return `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">${rows.join('')}</table>`;
}

const divider = (): string => `<tr><td style="border-top:1px solid ${LINE};font-size:0;line-height:0">&nbsp;</td></tr>`;

/** Foreign text stands in an element of its own direction, so that it cannot turn what surrounds it. */
function phrase(parts: Phrase): string {
  return renderPhrase(parts, (text) => keepUnits(escapeHtml(text)), foreignHtml);
}

/** A number is not parted from its unit at the end of a line. */
const keepUnits = (html: string): string => html.replace(/(\d) (?=(?:ms|s|min|h|UTC|days?|times)\b)/g, '$1&nbsp;');

function foreignHtml({ foreign, look }: ForeignSpan): string {
  // Routes break after a slash rather than anywhere.
  const text = escapeHtml(foreign).replace(/\/(?=.)/g, '/<wbr>');
  if (look === 'code') {
    return `<bdi style="font-family:${MONO};font-size:0.92em;word-break:break-word;overflow-wrap:anywhere">${text}</bdi>`;
  }
  return look === 'name' ? `<bdi style="font-weight:600">${text}</bdi>` : `<bdi>${text}</bdi>`;
}
