import type { Request } from 'express';
import { z } from 'zod';
import { SharedReads } from '../../workers/keys/shared-read.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { type DeniedKey, type DeniedScope, deniedDigest, deniedKeys } from '../queries/denied.ts';
import { type ApiParts, route } from '../route.ts';

/** Keys of one page; a gateway reads the following pages by the cursor. */
const PAGE_KEYS = 50_000;
/** Shorter than the 30 s after which common proxies give a silent request up. */
const MAX_WAIT_SECONDS = 25;
/** A change wakes all that wait; what they read is read once. */
const GATHER_MS = 15;

const digests = new WeakMap<ApiParts, SharedReads<string>>();
const pages = new WeakMap<ApiParts, SharedReads<DeniedKey[]>>();

function shared<Value>(reads: WeakMap<ApiParts, SharedReads<Value>>, parts: ApiParts): SharedReads<Value> {
  const present = reads.get(parts) ?? new SharedReads<Value>(GATHER_MS);
  reads.set(parts, present);
  return present;
}

const isCursor = (value: unknown): value is string => typeof value === 'string' && value.length <= 200;

export const getDeniedKeys = route({
  method: 'get',
  path: '/v1/keys/denied',
  scope: 'read',
  summary:
    'Keys that gateways must refuse: inactive, expired or deleted. With If-None-Match and wait, answers when the list changes',
  query: z.object({
    wait: z.coerce
      .number()
      .int()
      .min(0)
      .max(MAX_WAIT_SECONDS)
      .default(0)
      .describe('seconds to wait for a change, when If-None-Match names the present list'),
    cursor: z.string().max(500).optional(),
  }),
  response: z.object({
    data: z.array(
      z.object({
        key_id: z.string(),
        sha256: z.string().nullable(),
        status: z.enum(['inactive', 'expired', 'deleted']),
      }),
    ),
    next_cursor: z.string().nullable(),
  }),
  handle: async ({ parts, grant, query, req, res }) => {
    const scope: DeniedScope = { organizationId: grant.organizationId, keyId: grant.keyId };
    const after = decodeCursorText(query.cursor);
    const etag = await settledEtag(parts, scope, req, query.wait);
    res.set('ETag', etag);
    if (after === '' && etag === req.get('if-none-match')) {
      res.set('Cache-Control', 'private, no-cache').status(304).end();
      return undefined;
    }
    const read = () => deniedKeys(parts.store, scope, after, PAGE_KEYS + 1);
    const rows = await shared(pages, parts).get(JSON.stringify([scope, after]), read);
    const page = rows.slice(0, PAGE_KEYS);
    return {
      data: page.map((key) => ({ ...key, sha256: key.sha256 === '' ? null : key.sha256 })),
      next_cursor: rows.length > PAGE_KEYS ? encodeCursor([page.at(-1)!.key_id]) : null,
    };
  },
});

function decodeCursorText(cursor: string | undefined): string {
  const isPosition = (value: unknown): value is [string] => Array.isArray(value) && isCursor(value[0]);
  return decodeCursor(cursor, isPosition)?.[0] ?? '';
}

/** ETag of the list, as soon as it differs from the one the caller has, or when the wait is over. */
async function settledEtag(parts: ApiParts, scope: DeniedScope, req: Request, waitSeconds: number): Promise<string> {
  const known = req.get('if-none-match');
  const etagNow = async () =>
    `"${await shared(digests, parts).get(JSON.stringify(scope), () => deniedDigest(parts.store, scope))}"`;
  const untilMs = Date.now() + waitSeconds * 1000;
  for (;;) {
    // Watching begins before looking: a change in between is then noticed.
    const watch = known && waitSeconds > 0 ? await parts.registry.denials.watch(scope.organizationId) : undefined;
    const etag = await etagNow().catch((error) => {
      watch?.stop();
      throw error;
    });
    if (etag !== known || !watch) {
      watch?.stop();
      return etag;
    }
    const goOn = await changedOrOver(req, watch.changed, untilMs - Date.now());
    watch.stop();
    if (!goOn) return etag;
  }
}

/** @returns true at a change, false when the time is over or the caller has gone */
async function changedOrOver(req: Request, changed: Promise<void>, timeMs: number): Promise<boolean> {
  let end: (goOn: boolean) => void = () => {};
  const ended = new Promise<boolean>((resolve) => (end = resolve));
  const over = () => end(false);
  const timer = setTimeout(over, Math.max(0, timeMs));
  req.socket.once('close', over);
  void changed.then(() => end(true));
  const goOn = await ended;
  clearTimeout(timer);
  req.socket.off('close', over);
  return goOn;
}
