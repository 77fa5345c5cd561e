/** "7, 1" as people write lists of numbers. NaN for what is no number: a list without it would mean something else. */
export function numbersOf(text: string): number[] {
  return namesOf(text).map((part) => numberOf(part) ?? Number.NaN);
}

/** As a list field writes its value. */
export function listText(values: readonly (string | number)[]): string {
  return values.join(', ');
}

/** How a list field writes the names that a text holds. */
export const namesText = (text: string): string => listText(namesOf(text));
export const numbersText = (text: string): string => listText(numbersOf(text));

/** One name per line, or with commas or spaces between. */
export function namesOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter((part) => part !== '');
}

/** Ids with commas between, or one per line once there is a line end: an id may hold spaces and commas itself. */
export function idsOf(text: string): string[] {
  return text
    .split(text.includes('\n') ? '\n' : ',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
}

/** As a field of ids writes its value; `idsOf` reads the same ids from it. */
export function idsText(ids: readonly string[]): string {
  return ids.some((id) => id.includes(',')) ? ids.map((id) => `${id}\n`).join('') : listText(ids);
}

/** Undefined for an empty field: absent, not zero. */
export function numberOf(text: string): number | undefined {
  const value = Number(text.trim());
  return text.trim() === '' || !Number.isFinite(value) ? undefined : value;
}
