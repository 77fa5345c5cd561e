import type { JsonObject } from './json-value.ts';
import { Refusal } from './refusal.ts';

/**
 * Lines of the common and the combined log format, of Apache, nginx, Traefik, Caddy and many more:
 * `host ident user [time] "request" status bytes "referer" "user agent"`, the last two only in combined.
 */

/** Where `[` of the time stands; -1 when the line has no such time. */
function timeAt(line: string): number {
  let at = line.indexOf(' [');
  // A user name may contain blanks and brackets; the time is the bracket with a day and a month.
  while (at > 0 && at < 1000 && !(line[at + 4] === '/' && line[at + 8] === '/' && line[at + 28] === ']')) {
    at = line.indexOf(' [', at + 2);
  }
  return at > 0 && at < 1000 ? at : -1;
}

export function isClfLine(line: string): boolean {
  const at = timeAt(line);
  return at > 0 && line[at + 30] === '"';
}

/**
 * Reads a line into nginx's variable names.
 *
 * A missing closing quote at the end (a line cut by a full disk or a length limit) costs that one field, not the line:
 * status and size stand before it.
 */
export function clfEntry(line: string): JsonObject | Refusal {
  const at = timeAt(line);
  if (at < 0) return new Refusal('', 'is no line of the common or combined log format: it has no [day/month/year:…]');
  if (line[at + 30] !== '"') return new Refusal('request', 'must be in quotes behind the time');
  const requestEnd = quoteEnd(line, at + 31);
  if (requestEnd === line.length) return new Refusal('status', 'is missing: the line ends within the request');
  const numbers = /^ (\S{1,20})(?: (\S{1,20}))?/.exec(line.slice(requestEnd + 1, requestEnd + 44));
  if (numbers === null) return new Refusal('status', 'is missing');
  const entry: Record<string, unknown> = {
    remote_addr: clientOf(line, at),
    remote_user: userOf(line, at),
    time_local: line.slice(at + 2, at + 28),
    request: line.slice(at + 31, requestEnd),
    status: numbers[1],
    body_bytes_sent: numbers[2],
  };
  readQuotedTail(line, requestEnd + 1 + numbers[0].length, entry);
  return entry;
}

/** First word; behind `vhost:port` in Apache's vhost_combined, which has one word more before the time. */
function clientOf(line: string, timeStart: number): string {
  const blank = line.indexOf(' ');
  const words = line.slice(0, timeStart).split(' ', 5);
  return words.length === 4 && words[2] === '-' ? (words[1] as string) : line.slice(0, blank);
}

function userOf(line: string, timeStart: number): string {
  const words = line.slice(0, timeStart).split(' ', 5);
  if (words.length === 4 && words[2] === '-') return words[3] as string;
  return words.slice(2).join(' ');
}

/** Position of the quote that closes a field, the line's end when none does. `\"` is Apache's escape. */
function quoteEnd(line: string, from: number): number {
  let at = line.indexOf('"', from);
  while (at > 0) {
    let slashes = 0;
    while (line.charCodeAt(at - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return at;
    at = line.indexOf('"', at + 1);
  }
  return line.length;
}

/** `"referer" "user agent"`, and what is usually appended: `"x-forwarded-for"`, or the fields of ingress-nginx. */
function readQuotedTail(line: string, from: number, entry: Record<string, unknown>): void {
  if (line[from + 1] !== '"') return;
  const refererEnd = quoteEnd(line, from + 2);
  entry.http_referer = line.slice(from + 2, refererEnd);
  if (line[refererEnd + 2] !== '"') return;
  const agentEnd = quoteEnd(line, refererEnd + 3);
  entry.http_user_agent = line.slice(refererEnd + 3, agentEnd);
  if (agentEnd + 2 >= line.length) return;
  const tail = line.slice(agentEnd + 1, agentEnd + 1500);
  if (tail.startsWith(' "')) {
    const forwarded = tail.slice(2, quoteEnd(tail, 2));
    if (/^[0-9a-fA-F.:, ]+$/.test(forwarded)) entry.http_x_forwarded_for = forwarded;
    return;
  }
  // ingress-nginx: request_length request_time [upstream] [alternative] addr length time status req_id
  const ingress = /^ (\d{1,15}) (\d{1,9}\.\d{3}) \[([^\]]{0,200})\] /.exec(tail);
  if (ingress === null) return;
  [, entry.request_length, entry.request_time, entry.proxy_upstream_name] = ingress;
  const id = / ([0-9a-f]{32})$/.exec(tail);
  if (id !== null) entry.request_id = id[1];
}
