import type { RecordInput } from '../record.ts';

/** Why one entry of a payload is not counted. A value, not an exception: bad entries are ordinary. */
export class Refusal {
  /** The gateway's own name of the field, so that its operator finds it; '' for the entry as a whole. */
  readonly field: string;
  readonly message: string;
  constructor(field: string, message: string) {
    this.field = field;
    this.message = message;
  }
}

/** An entry that is by design not a request to be counted. */
export const SKIPPED = Symbol('skipped');

/** What became of one entry. */
export type Mapped = RecordInput | Refusal | typeof SKIPPED;
