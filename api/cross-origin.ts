import type { RequestHandler } from 'express';
import { EXPORT_LIMIT_HEADER } from './request-export.ts';

const PREFLIGHT_SECONDS = 600;
/** A browser hides every other header from a foreign page: when to ask again, and whether a file is whole. */
const READABLE_HEADERS = ['Retry-After', 'RateLimit', 'RateLimit-Policy', 'Content-Disposition', EXPORT_LIMIT_HEADER];

/**
 * Lets the pages of configured origins read the API with a token of their own (the embedded usage tab). Closed to
 * everyone else; never with cookies, so that a session of the dashboard is of no use to a foreign page.
 *
 * @param origins as `https://console.example.com`
 */
export function crossOrigin(origins: readonly string[]): RequestHandler {
  const allowed = new Set(origins.map((origin) => origin.replace(/\/+$/, '')));
  return (req, res, next) => {
    const origin = req.get('origin');
    if (origin === undefined || !allowed.has(origin)) return next();
    res.set({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin' });
    if (req.method !== 'OPTIONS') {
      res.set('Access-Control-Expose-Headers', READABLE_HEADERS.join(', '));
      return next();
    }
    res.set({
      'Access-Control-Allow-Methods': 'GET',
      'Access-Control-Allow-Headers': 'Authorization, X-Requested-With',
      'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
    });
    res.status(204).end();
  };
}
