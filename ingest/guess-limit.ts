import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import { presentedToken } from './authenticate.ts';
import { GuessTally } from './guess-tally.ts';
import { Problem } from './problem.ts';
import { sha256 } from './token.ts';

/** Slows down whoever guesses tokens. Valid tokens pass, also from an address that others guess from. */
export interface GuessLimit {
  /** Before anything looks a token up. */
  before: RequestHandler;
  /** Behind the routes: takes the place of a 401 where there were too many. */
  onRefused: ErrorRequestHandler;
}

export function guessLimit(tally: GuessTally = new GuessTally()): GuessLimit {
  const tooMany = (address: string) =>
    new Problem(429, 'Too many refused tokens', 'this address presented too many wrong tokens; wait a minute', {
      headers: { 'Retry-After': String(tally.secondsLeft(address)) },
    });
  return {
    before: (req, res, next) => {
      const address = req.ip ?? '';
      if (!tally.isWatched(address)) return next();
      const credential = credentialOf(req);
      if (!tally.mayTry(address, credential)) throw tooMany(address);
      res.once('finish', () => {
        if (credential !== '' && res.statusCode < 400) tally.accepted(address, credential);
      });
      next();
    },
    onRefused: (error, req, _res, next) => {
      const address = req.ip ?? '';
      const isRefusal = error instanceof Problem && error.status === 401;
      next(isRefusal && !tally.refused(address, credentialOf(req)) ? tooMany(address) : error);
    },
  };
}

/** Hash of the token or session that a request presents; '' for none. */
function credentialOf(req: Request): string {
  const presented = presentedToken(req) || (req.get('cookie') ?? '');
  return presented === '' ? '' : sha256(presented);
}
