import { useEffect, useRef, useState } from 'preact/hooks';
import { asksAgain, isOld, type Polled } from './asks-again.ts';

/**
 * Asks again and again while the page is looked at; a hidden tab costs nobody anything.
 * @returns whether the answer on the screen has grown old, because the next one does not come
 */
export function usePolling(polled: Polled & { retry: () => void }, everyMs: number, active = true): boolean {
  const latest = useRef(polled);
  latest.current = polled;
  const [oldAnswer, setOldAnswer] = useState<number | null>(null);
  useEffect(() => {
    if (!active) return;
    const tick = () => {
      const { current } = latest;
      if (isOld(current, everyMs, Date.now())) setOldAnswer(current.answeredAt);
      if (asksAgain(current, document.hidden)) current.retry();
    };
    let timer = setInterval(tick, everyMs);
    // Who comes back wants the figures of now, and a whole period for them to arrive.
    const turned = () => {
      clearInterval(timer);
      tick();
      timer = setInterval(tick, everyMs);
    };
    document.addEventListener('visibilitychange', turned);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', turned);
    };
  }, [everyMs, active]);
  return oldAnswer !== null && oldAnswer === polled.answeredAt && !polled.problem;
}
