import { setFlagsFromString } from 'node:v8';

/** A heap of 15 MB may become 75 MB before all of it is looked through. */
const GROWTH_PERCENT = 400;

/**
 * Lets the heap of a process grow further before the garbage collector looks at all of it. Bodies and batches lie outside the heap but
 * count towards its limit, which for a small heap is small: a busy collector looked through the same 15 MB
 * three times a second (docs/benchmarks.md, What was changed). For processes whose heap does not grow with the data, as it would be a multiple of that.
 */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
