/**
 * What this time of day (and of week) usually showed: means per slot of the day for six weeks, read as medians over the
 * same slot of earlier days, so that one incident does not move the expectation. Only earlier slots are ever read.
 */
const DAY_SECONDS = 86_400;
const SLOT_WIDTHS_SECONDS = [300, 600, 900, 1800, 3600, 7200, 14_400, DAY_SECONDS];
const MEMORY_DAYS = 43;
/** Ten days follow a change of habit within a week; four weeks see each weekday four times. */
const DAYS_READ = 10;
const DAYS_NEEDED = 2;
const WEEKS_READ = 4;

export interface SeasonExpectation {
  /** Median of the same slot on earlier days; NaN with fewer than two. */
  daily: number;
  /** Median of the same slot on the same weekday; NaN with no earlier week. */
  weekly: number;
  days: number;
  weeks: number;
}

export class SeasonMemory {
  readonly slotSeconds: number;
  private readonly slotsPerDay: number;
  private readonly means = new Map<number, number>();
  private current = Number.NaN;
  private sum = 0;
  private count = 0;
  private preparedFor = Number.NaN;
  private prepared: SeasonExpectation = { daily: Number.NaN, weekly: Number.NaN, days: 0, weeks: 0 };

  /** @param stepSeconds usual distance of two rows; a slot is never narrower than that */
  constructor(stepSeconds: number) {
    this.slotSeconds = SLOT_WIDTHS_SECONDS.find((width) => width >= stepSeconds * 0.99) ?? DAY_SECONDS;
    this.slotsPerDay = DAY_SECONDS / this.slotSeconds;
  }

  observe(timeSeconds: number, value: number): void {
    const slot = Math.floor(timeSeconds / this.slotSeconds);
    if (slot !== this.current) {
      if (this.count > 0) {
        this.means.set(this.current, this.sum / this.count);
        this.forgetBefore(slot);
      }
      this.sum = 0;
      this.count = 0;
      this.current = slot;
    }
    this.sum += value;
    this.count++;
  }

  /** Slots arrive in order, so the oldest are first in the map; after a gap several leave at once. */
  private forgetBefore(slot: number): void {
    const oldest = slot - MEMORY_DAYS * this.slotsPerDay;
    for (const kept of this.means.keys()) {
      if (kept >= oldest) return;
      this.means.delete(kept);
    }
  }

  expect(timeSeconds: number): SeasonExpectation {
    const slot = Math.floor(timeSeconds / this.slotSeconds);
    if (slot === this.preparedFor) return this.prepared;
    this.preparedFor = slot;
    const days = this.earlier(slot, this.slotsPerDay, DAYS_READ);
    const weeks = this.earlier(slot, 7 * this.slotsPerDay, WEEKS_READ);
    this.prepared = {
      daily: days.length >= DAYS_NEEDED ? middle(days) : Number.NaN,
      weekly: weeks.length > 0 ? middle(weeks) : Number.NaN,
      days: days.length,
      weeks: weeks.length,
    };
    return this.prepared;
  }

  private earlier(slot: number, stride: number, most: number): number[] {
    const found: number[] = [];
    for (let back = 1; back <= most; back++) {
      const mean = this.means.get(slot - back * stride);
      if (mean !== undefined) found.push(mean);
    }
    return found;
  }
}

function middle(values: number[]): number {
  values.sort((a, b) => a - b);
  const half = values.length >> 1;
  return values.length % 2 === 1 ? values[half]! : (values[half - 1]! + values[half]!) / 2;
}
