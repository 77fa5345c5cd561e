import { z } from 'zod';
import { readReport } from '../../workers/invariants.ts';
import { route } from '../route.ts';

export const getInvariants = route({
  method: 'get',
  path: '/v1/invariants',
  scope: 'read',
  // Examples name keys of every organization.
  reach: 'platform',
  summary: 'The newest check of the stored counts against each other: what must hold, and whether it does',
  response: z.object({
    checked_at: z.iso.datetime().nullable().describe('null before the first check'),
    invariants: z.array(
      z.object({
        name: z.string(),
        says: z.string(),
        violations: z.number().int().describe('-1 when the check itself failed'),
        examples: z.array(z.string()),
      }),
    ),
  }),
  handle: async ({ parts }) => {
    const report = await readReport(parts.redis);
    return {
      checked_at: report ? new Date(report.checkedAtMs).toISOString() : null,
      invariants: (report?.invariants ?? []).map(({ name, says, violations, examples }) => ({
        ...{ name, says, violations, examples },
      })),
    };
  },
});
