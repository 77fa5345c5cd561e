/**
 * Which way a request's records take. `bulk` is for an organization that sends most of everything: its batches are
 * smaller and are taken after those of the others, so that its backlog is its own.
 */
export type Lane = 'steady' | 'bulk';

/** More than this share of the records of all makes an organization `bulk`, while others send as well … */
const BULK_SHARE = 0.5;
/** … and at least so many in a second: below, its batches are small anyway. */
const BULK_PER_SECOND = 2_000;
/** What was sent counts half after this time. */
const HALF_LIFE_MS = 5_000;
/** Organizations remembered; those that send least are forgotten first. */
const MAX_ORGANIZATIONS = 10_000;
/** Below this an organization has not sent for a while. */
const FORGOTTEN_ROWS = 0.5;

/** Whether an organization that lately sent `own` of `all` records takes the slow lane. Pure. */
export function laneOf(own: number, all: number): Lane {
  // Rows that halve every 5 s add up, at r a second, to r × half-life / ln 2.
  const perSecond = (own * Math.LN2 * 1000) / HALF_LIFE_MS;
  const othersSend = all - own > FORGOTTEN_ROWS;
  return othersSend && own > all * BULK_SHARE && perSecond > BULK_PER_SECOND ? 'bulk' : 'steady';
}

/** How much each organization sent lately, to this collector. */
export class FairShare {
  readonly #rows = new Map<string, number>();
  #all = 0;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Notes a request's records. @param organizationId '' = a token of the whole platform, which is never slowed */
  lane(organizationId: string, rows: number, nowMs: number): Lane {
    this.#decay(nowMs);
    const own = (this.#rows.get(organizationId) ?? 0) + rows;
    this.#rows.set(organizationId, own);
    this.#all += rows;
    if (this.#rows.size > MAX_ORGANIZATIONS) this.#forgetLeast();
    return organizationId === '' ? 'steady' : laneOf(own, this.#all);
  }

  /** Ten steps per half-life are smooth enough, and cost nothing at thousands of requests a second. */
  #decay(nowMs: number): void {
    if (nowMs - this.#atMs < HALF_LIFE_MS / 10) return;
    const factor = 0.5 ** ((nowMs - this.#atMs) / HALF_LIFE_MS);
    this.#atMs = nowMs;
    this.#all = 0;
    for (const [organization, rows] of this.#rows) {
      const left = rows * factor;
      if (left < FORGOTTEN_ROWS) this.#rows.delete(organization);
      else this.#rows.set(organization, left);
      this.#all += left < FORGOTTEN_ROWS ? 0 : left;
    }
  }

  #forgetLeast(): void {
    const least = [...this.#rows].sort((a, b) => a[1] - b[1]).slice(0, MAX_ORGANIZATIONS / 10);
    for (const [organization, rows] of least) {
      this.#rows.delete(organization);
      this.#all -= rows;
    }
  }
}
