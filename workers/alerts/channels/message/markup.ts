import type { Chart, MessageModel, Section } from './model.ts';

/** `Mute for 1 day`, in words. */
export const muteLabel = (days: number): string => `${days} day${days === 1 ? '' : 's'}`;

/** Joins lines while they fit; says so when some do not. Each line is whole or absent: markup is never cut in two. */
export function joinWithin(lines: readonly string[], maxLength: number, separator = '\n'): string {
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + separator.length;
    if (length > maxLength - 2) return [...kept, '…'].join(separator);
    kept.push(line);
  }
  return kept.join(separator);
}

/** Colours of the badge and the bars, shared by chats that take one. */
export const TONE_COLOURS: Readonly<Record<MessageModel['tone'], string>> = {
  critical: '#c22f47',
  warning: '#d88a08',
  info: '#4556c9',
  good: '#2a9d78',
};

/** Legend below a line of blocks: `13:05 UTC to 14:10 UTC, at most 412 requests`. */
export const chartLegend = (chart: Chart): string =>
  `${chart.startLabel} to ${chart.endLabel}, at most ${chart.topLabel}`;

/** Of a message about one thing, the sentence is that thing's; otherwise the introduction. */
export function leadOf(model: MessageModel): Section['lead'] {
  return model.intro ?? model.sections[0]?.lead ?? [];
}
