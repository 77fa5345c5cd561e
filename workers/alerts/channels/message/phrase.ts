import { cleanText } from './foreign-text.ts';

/**
 * A sentence whose foreign parts are marked, so that no renderer can forget to escape them: plain strings are ours, a span is
 * somebody else's text (already cleaned) with how it looks.
 */
export type Phrase = readonly (string | ForeignSpan)[];

export interface ForeignSpan {
  foreign: string;
  /** name: of a key or a person; code: a route, an identifier; text: a reason somebody wrote. */
  look: 'name' | 'code' | 'text';
}

const MAX_NAME_LENGTH = 80;
const MAX_CODE_LENGTH = 160;
const MAX_REASON_LENGTH = 300;

export const name = (text: string): ForeignSpan => span(text, 'name', MAX_NAME_LENGTH);
export const code = (text: string): ForeignSpan => span(text, 'code', MAX_CODE_LENGTH);
export const reason = (text: string): ForeignSpan => span(text, 'text', MAX_REASON_LENGTH);
/** A label beside others: an organization, an owner. */
export const label = (text: string, maxLength = 40): ForeignSpan => span(text, 'text', maxLength);

function span(text: string, look: ForeignSpan['look'], maxLength: number): ForeignSpan {
  const foreign = cleanText(text, maxLength);
  return { foreign: foreign === '' ? '(empty)' : foreign, look };
}

/** say`Key ${name(…)} sent ${'14 times'} …`: strings put in are ours, spans stay marked, phrases are taken in. */
export function say(parts: TemplateStringsArray, ...values: readonly (string | ForeignSpan | Phrase)[]): Phrase {
  return parts
    .flatMap((part, index) => {
      const value = values[index];
      if (value === undefined) return [part];
      return Array.isArray(value) ? [part, ...(value as Phrase)] : [part, value as string | ForeignSpan];
    })
    .filter((part) => part !== '');
}

/** The phrase as bare characters, for subjects and pop-ups. Still to be escaped where markup is read. */
export function plain(phrase: Phrase): string {
  return phrase.map((part) => (typeof part === 'string' ? part : part.foreign)).join('');
}

/** Renders a phrase with one function for our text and one for foreign text. */
export function renderPhrase(
  phrase: Phrase,
  own: (text: string) => string,
  foreign: (part: ForeignSpan) => string,
): string {
  return phrase.map((part) => (typeof part === 'string' ? own(part) : foreign(part))).join('');
}
