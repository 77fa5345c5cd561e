import { expect, test } from 'vitest';
import { claimOf } from '../../ingest/take-records.ts';
import { sha256, type TokenGrant } from '../../ingest/token.ts';

const GRANT: TokenGrant = { id: 't', name: '', scopes: ['ingest'], organizationId: '', keyId: '', expiresAtMs: 0 };
const DIGEST = sha256('a chunk of a log');

test.each([
  [`import-${DIGEST}`, 400],
  ['import-orders', 1],
  [`import-${DIGEST}0`, 1],
  [`import-${DIGEST.slice(1)}`, 1],
  [`nightly-import-${DIGEST}`, 1],
  ['6f1c', 1],
])('the Idempotency-Key %s is remembered for %d days', (idempotencyKey, days) => {
  expect(claimOf(GRANT, idempotencyKey)?.keepSeconds).toBe(days * 86_400);
});
