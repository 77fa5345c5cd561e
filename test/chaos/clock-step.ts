// Loaded with --import before the program: its clock is off by the milliseconds in the file of CHAOS_CLOCK_FILE, which
// may change while it runs. Timers go by the monotonic clock and are not touched, as when somebody sets a real clock.
import { readFileSync } from 'node:fs';

const RealDate = Date;
let offsetMs = 0;

function readOffset(): void {
  try {
    offsetMs = Number(readFileSync(process.env.CHAOS_CLOCK_FILE!, 'utf8')) || 0;
  } catch {
    offsetMs = 0;
  }
}

class SteppedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(RealDate.now() + offsetMs);
    else super(...(given as [number]));
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

readOffset();
setInterval(readOffset, 100).unref();
globalThis.Date = SteppedDate as DateConstructor;
