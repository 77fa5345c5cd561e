/** Mean of the last `rows` numbers; NaN until that many were seen. */
export class MovingMean {
  private readonly ring: Float64Array;
  private next = 0;
  private filled = 0;
  private sum = 0;

  constructor(rows: number) {
    this.ring = new Float64Array(Math.max(1, rows));
  }

  push(value: number): number {
    this.sum += value - this.ring[this.next]!;
    this.ring[this.next] = value;
    this.next = (this.next + 1) % this.ring.length;
    // Adding anew once a round keeps rounding errors of the running sum from growing.
    if (this.next === 0) this.sum = this.ring.reduce((total, one) => total + one, 0);
    this.filled = Math.min(this.filled + 1, this.ring.length);
    return this.filled < this.ring.length ? Number.NaN : this.sum / this.ring.length;
  }
}
