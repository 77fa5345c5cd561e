import type { Request } from 'express';
import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import { sha256 } from '../../ingest/token.ts';
import { keysByHash, reportLeak } from '../../workers/keys/leaks.ts';
import { refuseForeign, registryProblem } from '../key-changes.ts';
import { isSignedBy, type LeakKeys, parseLeakKeys } from '../leak-signature.ts';
import { route } from '../route.ts';
import { KeyParams, KeyResponse } from '../schemas.ts';
import { findKey, mustSeeKey } from './keys.ts';

/** One report names a handful of tokens. */
const MAX_BODY_BYTES = 1024 * 1024;
const MAX_TOKENS = 1_000;

const Report = z
  .array(
    z.object({
      token: z.string().min(1).max(10_000),
      type: z.string().max(200).default(''),
      url: z.string().max(4_000).default(''),
      source: z.string().max(200).default(''),
    }),
  )
  .min(1)
  .max(MAX_TOKENS);

const parsedKeys = new Map<string, LeakKeys>();

function leakKeys(json: string | undefined): LeakKeys {
  if (json === undefined) return new Map();
  const keys = parsedKeys.get(json) ?? parseLeakKeys(json);
  parsedKeys.set(json, keys);
  return keys;
}

export const postLeaks = route({
  method: 'post',
  path: '/v1/leaks',
  scope: 'none',
  summary:
    "Reports of leaked keys in the form of GitHub's secret scanning partner program, signed by a configured public key; answers with a label per token",
  consumes: { 'application/json': Report },
  requestHeaders: {
    'GitHub-Public-Key-Identifier': { description: 'which key of LEAK_PUBLIC_KEYS signed it', isRequired: true },
    'GitHub-Public-Key-Signature': { description: 'ECDSA signature of the body, Base64', isRequired: true },
  },
  statuses: {
    403: 'The report is not signed by a key of LEAK_PUBLIC_KEYS',
    409: 'Another request is changing the key',
  },
  response: z.array(
    z.object({ token_hash: z.string(), token_type: z.string(), label: z.enum(['true_positive', 'false_positive']) }),
  ),
  handle: async ({ parts, req }) => {
    const keys = leakKeys(parts.config.LEAK_PUBLIC_KEYS);
    const identifier = req.get('github-public-key-identifier') ?? '';
    const signature = req.get('github-public-key-signature') ?? '';
    // Before the body is read: a stranger without even the name of a key makes us read nothing.
    if (!keys.has(identifier) || signature === '') throw notSigned();
    const body = await bodyOf(req);
    if (!isSignedBy(keys, identifier, signature, body)) throw notSigned();
    const report = reportOf(body).map((leak) => ({ ...leak, hash: sha256(leak.token) }));
    const found = await keysByHash(
      parts.registry,
      report.map((leak) => leak.hash),
    );
    for (const leak of report) {
      const key = found.get(leak.hash);
      if (!key) continue;
      const reason = `leaked, reported by GitHub: ${placeOf(leak.url, leak.token)}${leak.source && ` (${leak.source})`}`;
      await reportLeak(parts.registry, key.key_id, reason, { actor: 'github-secret-scanning' }).catch(registryProblem);
    }
    return report.map((leak) => ({
      token_hash: leak.hash,
      token_type: leak.type,
      label: found.has(leak.hash) ? 'true_positive' : 'false_positive',
    }));
  },
});

function notSigned(): Problem {
  return new Problem(403, 'Forbidden', 'the report is not signed by a public key of LEAK_PUBLIC_KEYS');
}

/** The reason is stored: where the secret stands in the address itself, it is left out. */
function placeOf(url: string, token: string): string {
  const place = url.replaceAll(token, '…').replaceAll(encodeURIComponent(token), '…');
  return place === '' ? 'place unknown' : place.slice(0, 300);
}

function reportOf(body: Buffer): z.infer<typeof Report> {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    throw new Problem(400, 'Bad request', 'the body is not valid JSON');
  }
  const parsed = Report.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Problem(400, 'Bad request', `${issue.path.join('.') || 'body'}: ${issue.message}`);
}

async function bodyOf(req: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Problem(413, 'Payload too large', `body exceeds ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export const reportKeyLeak = route({
  method: 'post',
  path: '/v1/keys/:key_id/report-leak',
  scope: 'manage',
  reach: 'organization',
  summary: 'Report by hand that the secret of a key leaked; a `leaked` policy may deactivate it at once',
  statuses: { 409: 'The key is not registered, or another request is changing it' },
  params: KeyParams,
  body: z.strictObject({ reason: z.string().trim().min(1).max(500) }),
  response: KeyResponse,
  handle: async ({ parts, grant, params, body }) => {
    await mustSeeKey(parts, grant, params.key_id);
    const present = await parts.registry.find(params.key_id);
    if (!present) throw new Problem(409, 'Conflict', 'the key is not registered; deactivate it instead');
    refuseForeign(present, grant);
    await reportLeak(parts.registry, params.key_id, body.reason, { actor: grant.id }).catch(registryProblem);
    return findKey(parts, grant, params.key_id);
  },
});
