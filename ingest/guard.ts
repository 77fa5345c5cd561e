import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { DeniedCopy } from './guard-copy.ts';
import { GuardError, type GuardOptions, type GuardSettings, type GuardStats, guardSettings } from './guard-options.ts';
import type { GatewayRequest } from './sender-request.ts';

/** An Express middleware that refuses deactivated keys, for `await guard.close()` when the host stops. */
export interface Guard {
  (req: GatewayRequest, res: ServerResponse, next: (error?: unknown) => void): void;
  /** Ends the connection to Keytally. The copy stays in force as it is. */
  close(): Promise<void>;
  stats(): GuardStats;
}

/**
 * Creates a guard for Express 4 and 5: `app.use(keytallyGuard({ url, token }))`, before the routes. Requests with a key
 * that is deactivated, expired or deleted are answered 401, within a second of the change; all others go on at once,
 * also before the first copy of the list is there and when Keytally does not answer.
 *
 * @throws TypeError when an option is wrong; nothing else ever throws
 */
export function keytallyGuard(options: GuardOptions): Guard {
  const settings = guardSettings(options);
  let [refused, errors] = [0, 0];
  const report = (error: GuardError): void => {
    errors++;
    try {
      settings.onError?.(error);
    } catch {
      // The host's own callback must not break the host's request.
    }
  };
  const copy = new DeniedCopy(settings, report);
  const guard = (req: GatewayRequest, res: ServerResponse, next: (error?: unknown) => void): void => {
    const status = deniedStatus(req, copy, settings, report);
    if (status === undefined || res.headersSent) {
      next();
      return;
    }
    refused++;
    refuse(res, status, settings.header);
  };
  return Object.assign(guard, {
    close: () => copy.close(),
    stats: () => ({ keys: copy.list.byId.size, confirmedAt: copy.confirmedAt, refused, errors }),
  });
}

/** @returns the status for which the request is to be refused; undefined: it goes on, also when it cannot be judged */
function deniedStatus(
  req: GatewayRequest,
  { list }: DeniedCopy,
  { header, keyId }: GuardSettings,
  report: (error: GuardError) => void,
): string | undefined {
  try {
    const id = keyId?.(req);
    if (id) return list.byId.get(id);
    if (list.byHash.size === 0) return undefined;
    const value = req.headers[header];
    const key = typeof value === 'string' ? value.replace(/^Bearer\s+/i, '').trim() : '';
    return key === '' ? undefined : list.byHash.get(createHash('sha256').update(key).digest('binary'));
  } catch (error) {
    report(new GuardError(`a request could not be judged: ${(error as Error)?.message ?? error}`, undefined, error));
    return undefined;
  }
}

function refuse(res: ServerResponse, status: string, header: string): void {
  const detail = `the API key is ${status}`;
  const body = JSON.stringify({ type: 'about:blank', title: 'Unauthorized', status: 401, detail });
  res.writeHead(401, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    // A key that is reactivated must not meet a refusal that a cache kept.
    'Cache-Control': 'no-store',
    'WWW-Authenticate': header === 'authorization' ? 'Bearer error="invalid_token"' : `ApiKey header="${header}"`,
  });
  res.end(body);
}
