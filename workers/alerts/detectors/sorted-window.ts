/**
 * The last N numbers of a stream, kept sorted: exact ranks and quantiles of a sliding window.
 * Insert and evict move at most N doubles with one memmove each (about a microsecond at N = 8,000).
 */
export class SortedWindow {
  readonly capacity: number;
  private readonly arrival: Float64Array;
  private readonly sorted: Float64Array;
  private next = 0;
  private filled = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.arrival = new Float64Array(capacity);
    this.sorted = new Float64Array(capacity);
  }

  get size(): number {
    return this.filled;
  }

  /** Adds a finite number; the oldest leaves once the window is full. */
  add(value: number): void {
    if (this.filled === this.capacity) {
      const gone = this.lowerBound(this.arrival[this.next]!);
      this.sorted.copyWithin(gone, gone + 1, this.filled);
      this.filled--;
    }
    const at = this.lowerBound(value);
    this.sorted.copyWithin(at + 1, at, this.filled);
    this.sorted[at] = value;
    this.filled++;
    this.arrival[this.next] = value;
    this.next = (this.next + 1) % this.capacity;
  }

  /** How many kept numbers are below the value. */
  lowerBound(value: number): number {
    let low = 0;
    let high = this.filled;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The number at a rank counted from the smallest (0). */
  at(rank: number): number {
    return this.sorted[Math.min(Math.max(rank, 0), this.filled - 1)]!;
  }

  /** Quantile by nearest rank; NaN while empty. */
  quantile(share: number): number {
    return this.filled === 0 ? Number.NaN : this.at(Math.floor(share * (this.filled - 1) + 0.5));
  }

  get median(): number {
    return this.quantile(0.5);
  }
}
