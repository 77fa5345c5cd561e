/**
 * Renews a lock now and then while its holder works.
 * @param most renewals: a call that never returns must not keep others out for good
 * @returns ends it
 */
export function keepRenewing(renew: () => Promise<unknown>, everyMs: number, most: number): () => void {
  let renewals = 0;
  const timer = setInterval(() => {
    if (++renewals >= most) clearInterval(timer);
    // Redis is away: the next renewal tries again.
    renew().catch(() => undefined);
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
