import type { OutgoingHttpHeaders } from 'node:http';

const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n/i;
const RATE_LIMIT = /\r\n(?:x-)?rate-?limit/i;
/** Where the three digits stand in `HTTP/1.1 200 OK`. */
const STATUS_AT = 9;
const ZERO = 48;

/** The head of an HTTP/1 response as it went over the connection. One text instead of a question per header: each would be one to an object of unknown shape (response-ends.ts). */
export class ResponseHead {
  readonly #text: string;
  readonly #isSent: boolean;

  /** @param text from `HTTP/1.1` to the empty line */
  constructor(text: string, isSent = true) {
    this.#text = text;
    this.#isSent = isSent;
  }

  /** Of a response that went out in another form, such as HTTP/2. */
  static of(status: number, headers: OutgoingHttpHeaders): ResponseHead {
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((one) => `${name}: ${one}\r\n`),
    );
    return new ResponseHead(`HTTP/1.1 ${status} \r\n${lines.join('')}\r\n`, false);
  }

  get status(): number {
    const digit = (at: number) => this.#text.charCodeAt(STATUS_AT + at) - ZERO;
    return digit(0) * 100 + digit(1) * 10 + digit(2);
  }

  get contentLength(): number | undefined {
    const length = CONTENT_LENGTH.exec(this.#text)?.[1];
    return length === undefined ? undefined : Number(length);
  }

  /** Bytes of it on the connection; NaN when it went out in another form. */
  get length(): number {
    return this.#isSent ? this.#text.length : Number.NaN;
  }

  /** All headers by their lower-case names, those that come twice joined; undefined where no rate limiter wrote any. */
  get headersOfLimiter(): Record<string, string> | undefined {
    if (!RATE_LIMIT.test(this.#text)) return undefined;
    const headers: Record<string, string> = {};
    for (const line of this.#text.split('\r\n').slice(1)) {
      const colon = line.indexOf(':');
      if (colon < 1) continue;
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    return headers;
  }
}
