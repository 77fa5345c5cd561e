/** Lines that travel together. */
export interface Lines {
  /** NDJSON, UTF-8. */
  body: Buffer;
  records: number;
}

/** A body is sealed when it is this long, well below what Keytally takes in one request. */
const MAX_BODY_BYTES = 4 * 2 ** 20;
const MIN_BYTES = 16_384;
/** Lines that become bytes together: one by one half of what a record cost was the way into the buffer. Few enough to be no garbage that has to be kept. */
const LINES_TOGETHER = 32;
const CHARACTERS_TOGETHER = 16_384;
/** A character of a JavaScript text needs at most so many bytes. */
const MAX_BYTES_PER_CHARACTER = 3;

/**
 * Lines that wait, all but the last few outside of the garbage collector's reach, in bodies of at most `maxRecords`. Its owner bounds how
 * many.
 */
export class LineBuffer {
  readonly #maxRecords: number;
  #sealed: Lines[] = [];
  #open: Buffer = Buffer.alloc(0);
  /** Memory of a body that is done with: new memory costs the system more than writing the lines does. */
  #spare: Buffer | undefined;
  #used = 0;
  /** The last lines of the open body, which are not in its memory yet. */
  #unwritten = '';
  #unwrittenLines = 0;
  #openRecords = 0;
  #records = 0;
  #bytes = 0;
  /** What the last body came to: the next one will be about as long. */
  #expected = MIN_BYTES;

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  /** Lines that wait. */
  get records(): number {
    return this.#records;
  }

  /** Bytes of them; of the last few that are not plain ASCII their characters. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bodies that {@link take} would return. */
  get bodies(): number {
    return this.#sealed.length + (this.#openRecords > 0 ? 1 : 0);
  }

  add(line: string): void {
    this.#unwritten += line;
    this.#bytes += line.length;
    this.#openRecords++;
    this.#records++;
    const isEnough = ++this.#unwrittenLines >= LINES_TOGETHER || this.#unwritten.length >= CHARACTERS_TOGETHER;
    if (!isEnough && this.#openRecords < this.#maxRecords) return;
    this.#write();
    if (this.#openRecords >= this.#maxRecords || this.#used >= MAX_BODY_BYTES) this.#seal();
  }

  /** The oldest lines, at most a body full; undefined when none wait. */
  take(): Lines | undefined {
    if (this.#sealed.length === 0 && this.#openRecords > 0) {
      this.#write();
      this.#seal();
    }
    const lines = this.#sealed.shift();
    if (lines === undefined) return undefined;
    this.#records -= lines.records;
    this.#bytes -= lines.body.length;
    return lines;
  }

  /** Has the memory of a body, which nobody reads any more, for lines to come. */
  giveBack({ body }: Lines): void {
    this.#spare = Buffer.from(body.buffer, body.byteOffset, body.buffer.byteLength);
  }

  #write(): void {
    const characters = this.#unwritten.length;
    const most = characters * MAX_BYTES_PER_CHARACTER;
    if (this.#used + most > this.#open.length) this.#makeRoom(most);
    const written = this.#open.write(this.#unwritten, this.#used);
    this.#used += written;
    this.#bytes += written - characters;
    this.#unwritten = '';
    this.#unwrittenLines = 0;
  }

  #seal(): void {
    this.#expected = Math.max(MIN_BYTES, this.#used + (this.#used >> 3));
    this.#sealed.push({ body: this.#open.subarray(0, this.#used), records: this.#openRecords });
    this.#open = Buffer.alloc(0);
    this.#used = 0;
    this.#openRecords = 0;
  }

  #makeRoom(bytes: number): void {
    if (this.#used === 0 && this.#spare !== undefined && this.#spare.length >= Math.max(bytes, this.#expected / 2)) {
      this.#open = this.#spare;
      this.#spare = undefined;
      return;
    }
    // Not from the pool that Node shares between small buffers: a batch may be held for hours.
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#expected, this.#open.length * 2, this.#used + bytes));
    this.#open.copy(larger, 0, 0, this.#used);
    this.#open = larger;
  }
}

/** Two halves of as many lines each, or one more in the second. */
export function halves({ body, records }: Lines): [Lines, Lines] {
  const first = records >> 1;
  let end = 0;
  for (let line = 0; line < first; line++) end = body.indexOf(10, end) + 1;
  return [
    { body: body.subarray(0, end), records: first },
    { body: body.subarray(end), records: records - first },
  ];
}
