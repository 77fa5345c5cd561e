import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import {
  type DeadLetterEntry,
  DeadLetters,
  type LetterCursor,
  OUTCOMES,
  type Settled,
  sampleFields,
} from '../../workers/dead-letters.ts';
import { type AuditAction, writeAudit } from '../../workers/keys/audit.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { type ApiParts, route } from '../route.ts';
import { LimitQuery } from '../schemas.ts';

// A batch mixes the records of all who report: its letters are the platform's business.

const LetterParams = z.object({ id: z.string().min(1).max(200) });
const Letter = z.object({
  id: z.string(),
  at: z.iso.datetime().describe('when it was given up'),
  age_seconds: z.number().int(),
  batch_id: z.string(),
  rows: z.number().int(),
  reason: z.string(),
  sample: z.record(z.string(), z.string()).nullable().describe('first row, redacted as everything that is stored'),
  outcome: z.enum(OUTCOMES),
});
const Outcome = z.object({ id: z.string(), outcome: z.string(), rows: z.number().int() });

function isLetterCursor(value: unknown): value is LetterCursor {
  const cursor = value as LetterCursor | null;
  return Number.isSafeInteger(cursor?.atMs) && typeof cursor?.id === 'string' && cursor.id.length <= 300;
}

const answerOf = (letter: DeadLetterEntry, nowMs: number): z.infer<typeof Letter> => ({
  id: letter.id,
  at: letter.at,
  age_seconds: Math.max(0, Math.round((nowMs - letter.at_ms) / 1000)),
  batch_id: letter.batch_id,
  rows: letter.rows,
  reason: letter.reason,
  sample: sampleFields(letter.sample) ?? null,
  outcome: letter.outcome,
});

export const listDeadLetters = route({
  method: 'get',
  path: '/v1/dead-letters',
  scope: 'manage',
  reach: 'platform',
  summary: 'Rows that could not be counted, newest first, with the reason',
  query: z.object({
    outcome: z.enum(OUTCOMES).default('waiting'),
    limit: LimitQuery(50, 500),
    cursor: z.string().max(500).optional(),
  }),
  response: z.object({ data: z.array(Letter), next_cursor: z.string().nullable() }),
  handle: async ({ parts, query }) => {
    const after = decodeCursor(query.cursor, isLetterCursor);
    const rows = await lettersOf(parts).list(query.outcome, after, query.limit + 1);
    const page = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? page.at(-1) : undefined;
    const nowMs = Date.now();
    return {
      data: page.map((letter) => answerOf(letter, nowMs)),
      next_cursor: last ? encodeCursor({ atMs: last.at_ms, id: last.id }) : null,
    };
  },
});

export const replayDeadLetter = route({
  method: 'post',
  path: '/v1/dead-letters/:id/replay',
  scope: 'manage',
  reach: 'platform',
  summary: 'Count the rows of a dead letter after all; rows that are counted already are not counted again',
  statuses: { 409: 'It was replayed or dropped already, or some of its rows are counted' },
  params: LetterParams,
  response: Outcome,
  handle: async ({ parts, grant, params }) => {
    const settled = await lettersOf(parts).replay(params.id);
    const rows = rowsOf(settled);
    const outcome = settled.kind === 'counted_already' ? 'counted_already' : 'replayed';
    await note(parts, grant, params.id, 'dead_letter.replayed', outcome);
    return { id: params.id, outcome, rows };
  },
});

export const dropDeadLetter = route({
  method: 'delete',
  path: '/v1/dead-letters/:id',
  scope: 'admin',
  reach: 'platform',
  summary: 'Give a dead letter up: its rows are deleted, its reason stays',
  statuses: { 409: 'It was replayed or dropped already' },
  params: LetterParams,
  response: Outcome,
  handle: async ({ parts, grant, params }) => {
    const rows = rowsOf(await lettersOf(parts).drop(params.id));
    await note(parts, grant, params.id, 'dead_letter.dropped', '');
    return { id: params.id, outcome: 'dropped', rows };
  },
});

const lettersOf = (parts: ApiParts) => new DeadLetters(parts.store, parts.redis);

/** @throws {Problem} 404 or 409 for a letter that cannot be replayed or dropped */
function rowsOf(settled: Settled): number {
  switch (settled.kind) {
    case 'unknown':
      throw new Problem(404, 'Not found', 'there is no such dead letter');
    case 'settled':
      throw new Problem(409, 'Conflict', `the dead letter was ${settled.outcome} already`);
    case 'partly_counted':
      throw new Problem(
        409,
        'Conflict',
        `${settled.counted} of its ${settled.rows} rows are counted already, a replay would count them twice`,
      );
    default:
      return settled.rows;
  }
}

async function note(
  parts: ApiParts,
  grant: TokenGrant,
  id: string,
  action: AuditAction,
  reason: string,
): Promise<void> {
  await writeAudit(parts.store, [
    { organizationId: '', actor: grant.id, action, subject: id, reason, before: null, after: null },
  ]);
}
