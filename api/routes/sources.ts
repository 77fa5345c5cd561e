import { z } from 'zod';
import { readSources } from '../../ingest/source-tally.ts';
import { route } from '../route.ts';

export const getSources = route({
  method: 'get',
  path: '/v1/sources',
  scope: 'read',
  reach: 'organization',
  summary: 'Which formats records arrive in, and when and how many last did',
  response: z.object({
    now: z.iso.datetime().describe('by the clock that made the times below'),
    data: z.array(
      z.object({
        format: z.string(),
        organization_id: z.string().nullable(),
        last_received_at: z.iso.datetime(),
        accepted: z.number().int().describe('in the second of last_received_at'),
        rejected: z.number().int().describe('in the second of last_received_at'),
        error: z.string().describe('field and reason of the first one rejected'),
      }),
    ),
  }),
  handle: async ({ parts, grant }) => {
    const sources = (await readSources(parts.redis)).filter(
      (source) => grant.organizationId === '' || source.organizationId === grant.organizationId,
    );
    sources.sort((a, b) => b.at - a.at);
    return {
      now: new Date().toISOString(),
      data: sources.map(({ organizationId, format, at, accepted, rejected, error }) => ({
        format,
        organization_id: organizationId || null,
        last_received_at: new Date(at).toISOString(),
        accepted,
        rejected,
        error,
      })),
    };
  },
});
