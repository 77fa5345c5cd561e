/** A look that is taken again and again until it is closed. */
export interface TimedLook {
  /** Takes one now, unless one is being taken. */
  look(): Promise<void>;
  close(): void;
}

/**
 * One look at a time: a store that answers slowly for minutes had another one in line at every tick.
 * @param take handles its own errors
 */
export function timedLook(everyMs: number, take: () => Promise<void>): TimedLook {
  let looks = false;
  const look = async () => {
    if (looks) return;
    looks = true;
    await take().finally(() => {
      looks = false;
    });
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return { look, close: () => clearInterval(timer) };
}
