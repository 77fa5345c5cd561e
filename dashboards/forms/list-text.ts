/** "7, 1" as people write lists of numbers. What is no number is left out. */
export function numbersOf(text: string): number[] {
  return text
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map(Number)
    .filter((value) => Number.isFinite(value));
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

/** Undefined for an empty field: absent, not zero. */
export function numberOf(text: string): number | undefined {
  const value = Number(text.trim());
  return text.trim() === '' || !Number.isFinite(value) ? undefined : value;
}
