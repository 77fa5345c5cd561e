import { CommandError } from './api-client.ts';

/** A date, or a time to the minute or finer with its offset. */
const TIME = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * The time that a flag names, RFC 3339 in UTC. A date is its beginning in UTC; as in the api, a time of day needs its offset: `Date` would take it for
 * one of this machine's zone, and would make 30 February the second of March. Not the api's own schema: commands start without zod.
 * @param flag with its dashes
 * @param example what the flag takes, for the message
 * @throws {CommandError} naming the flag
 */
export function timeFlag(flag: string, text: string, example: string): string {
  const date = TIME.exec(text)?.[1];
  const ms = date === undefined ? Number.NaN : Date.parse(text);
  const isDay = date !== undefined && isRealDay(date);
  if (Number.isNaN(ms) || !isDay) throw new CommandError(`${flag}: "${text}" is not a time such as ${example}`);
  return new Date(ms).toISOString();
}

function isRealDay(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
}
