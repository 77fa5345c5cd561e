import { parseJson } from './json-value.ts';
import { endOfElement } from './payload-entries.ts';

const OBJECT = 123;
const ARRAY = 91;

/**
 * Walks a large JSON document without parsing it as a whole, so that work comes in small steps, garbage dies young, and a
 * document that was cut off still yields what stands before the cut.
 *
 * Lenient about what it walks over; each value is parsed strictly when it is read. Never throws: at the first thing that
 * makes no sense `isBroken` is set and every level ends.
 */
export class JsonCursor {
  readonly #text: string;
  #at: number;
  isBroken = false;

  constructor(text: string, at = 0) {
    this.#text = text;
    this.#at = at;
  }

  /** A second cursor at the same place, to look ahead. */
  clone(): JsonCursor {
    return new JsonCursor(this.#text, this.#at);
  }

  /** Steps into the object at the cursor, if one is there. */
  enterObject(): boolean {
    return this.#enter(OBJECT);
  }

  /** Steps into the array at the cursor, if one is there. */
  enterArray(): boolean {
    return this.#enter(ARRAY);
  }

  /** Name of the object's next member, the cursor then stands at its value; undefined behind the object. */
  nextName(): string | undefined {
    if (!this.#isBefore(125)) return undefined;
    const end = this.#text.charCodeAt(this.#at) === 34 ? endOfElement(this.#text, this.#at) : -1;
    const name = end < 0 ? undefined : this.#text.slice(this.#at + 1, end - 1);
    if (name !== undefined) this.#at = end;
    this.#skipBlank();
    if (name === undefined || this.#text.charCodeAt(this.#at) !== 58) {
      this.isBroken = true;
      return undefined;
    }
    this.#at++;
    this.#skipBlank();
    return name;
  }

  /** Moves to the array's next element; false behind the array. */
  nextElement(): boolean {
    return this.#isBefore(93);
  }

  /** Moves behind the value at the cursor. */
  skip(): void {
    const end = this.#at < this.#text.length ? endOfElement(this.#text, this.#at) : -1;
    if (end < 0) this.isBroken = true;
    else this.#at = end;
  }

  /** The value at the cursor; undefined when it is not valid. */
  value(): unknown {
    const from = this.#at;
    this.skip();
    return this.isBroken ? undefined : parseJson(this.#text.slice(from, this.#at));
  }

  #enter(bracket: number): boolean {
    this.#skipBlank();
    if (this.isBroken || this.#text.charCodeAt(this.#at) !== bracket) return false;
    this.#at++;
    return true;
  }

  #isBefore(close: number): boolean {
    if (this.isBroken) return false;
    this.#skipBlank();
    if (this.#text.charCodeAt(this.#at) === 44) {
      this.#at++;
      this.#skipBlank();
    }
    if (this.#at >= this.#text.length) {
      this.isBroken = true;
      return false;
    }
    if (this.#text.charCodeAt(this.#at) !== close) return true;
    this.#at++;
    return false;
  }

  #skipBlank(): void {
    // Also the byte order mark, which some senders put first.
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at);
      if (code > 32 && code !== 0xfeff) break;
      this.#at++;
    }
  }
}
