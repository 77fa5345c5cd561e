import type { Request } from 'express';
import { z } from 'zod';
import { SharedReads } from '../../workers/keys/shared-read.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { type DeniedKey, type DeniedScope, deniedDigest, deniedKeys, registryMark } from '../queries/denied.ts';
import { Remembered } from '../remembered.ts';
import { type ApiParts, route } from '../route.ts';

/** Keys of one page; a gateway reads the following pages by the cursor. */
const PAGE_KEYS = 50_000;
/** Shorter than the 30 s after which common proxies give a silent request up. */
const MAX_WAIT_SECONDS = 25;
/** A change wakes all that wait; what they read is read once. */
const GATHER_MS = 15;

/** Lists kept while no key changes, each of at most {@link PAGE_KEYS}; those of the gateways that asked last. */
const KEPT_PAGES = 4;
const KEPT_DIGESTS = 1_000;

interface DeniedReads {
  marks: SharedReads<string>;
  digests: Remembered<string>;
  pages: Remembered<DeniedKey[]>;
}
const reads = new WeakMap<ApiParts, DeniedReads>();

function readsOf(parts: ApiParts): DeniedReads {
  const present = reads.get(parts) ?? {
    marks: new SharedReads<string>(GATHER_MS),
    digests: new Remembered<string>(KEPT_DIGESTS),
    pages: new Remembered<DeniedKey[]>(KEPT_PAGES),
  };
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
  requestHeaders: { 'If-None-Match': { description: 'ETag of the list that the caller has' } },
  responseHeaders: { ETag: { type: 'string', description: 'tells this list from others' } },
  statuses: { 304: 'The list is the one that If-None-Match names' },
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
    const { etag, mark } = await settledEtag(parts, scope, req, query.wait);
    res.set('ETag', etag);
    if (after === '' && etag === req.get('if-none-match')) {
      res.set('Cache-Control', 'private, no-cache').status(304).end();
      return undefined;
    }
    const read = () => deniedKeys(parts.store, scope, after, PAGE_KEYS + 1);
    const rows = await readsOf(parts).pages.get(JSON.stringify([scope, after]), mark, read);
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

interface Settled {
  etag: string;
  /** State of the registry in which the list had this ETag. */
  mark: string;
}

async function settledNow(parts: ApiParts, scope: DeniedScope): Promise<Settled> {
  const { marks, digests } = readsOf(parts);
  const mark = await marks.get('', () => registryMark(parts.store));
  const digest = await digests.get(JSON.stringify(scope), mark, () => deniedDigest(parts.store, scope));
  return { etag: `"${digest}"`, mark };
}

/** The list's ETag, as soon as it differs from the one the caller has, or when the wait is over. */
async function settledEtag(parts: ApiParts, scope: DeniedScope, req: Request, waitSeconds: number): Promise<Settled> {
  const known = req.get('if-none-match');
  const untilMs = Date.now() + waitSeconds * 1000;
  for (;;) {
    // Watching begins before looking: a change in between is then noticed.
    const watch = known && waitSeconds > 0 ? await parts.registry.denials.watch(scope.organizationId) : undefined;
    const settled = await settledNow(parts, scope).catch((error) => {
      watch?.stop();
      throw error;
    });
    if (settled.etag !== known || !watch) {
      watch?.stop();
      return settled;
    }
    const goOn = await changedOrOver(req, watch.changed, untilMs - Date.now());
    watch.stop();
    if (!goOn) return settled;
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
