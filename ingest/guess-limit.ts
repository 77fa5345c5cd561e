import type { RequestHandler } from 'express';
import { Problem } from './problem.ts';
import { RecentMap } from './recent-map.ts';

/** Refused tokens per address and minute before the address has to wait. A gateway with one wrong token stays far below. */
const MAX_FAILURES = 300;
const WINDOW_MS = 60_000;
const TRACKED_ADDRESSES = 50_000;

/**
 * Slows down whoever guesses tokens: counts 401 answers per address. Only failures count, so that a busy
 * gateway is never refused for its number of requests.
 */
export function guessLimit(now: () => number = Date.now): RequestHandler {
  const failures = new RecentMap<string, { count: number; resetAtMs: number }>(TRACKED_ADDRESSES);
  return (req, res, next) => {
    const address = req.ip ?? '';
    const seen = failures.get(address);
    if (seen && seen.resetAtMs > now() && seen.count >= MAX_FAILURES) {
      const seconds = Math.ceil((seen.resetAtMs - now()) / 1000);
      throw new Problem(429, 'Too many refused tokens', 'this address presented too many wrong tokens; wait a minute', {
        headers: { 'Retry-After': String(seconds) },
      });
    }
    res.once('finish', () => {
      if (res.statusCode !== 401) return;
      const current = failures.get(address);
      if (current && current.resetAtMs > now()) current.count++;
      else failures.set(address, { count: 1, resetAtMs: now() + WINDOW_MS });
    });
    next();
  };
}
