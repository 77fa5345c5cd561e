import { expect, test } from 'vitest';
import { fieldsOf } from '../../api/key-changes.ts';
import { KeyBody } from '../../api/schemas.ts';
import type { TokenGrant } from '../../ingest/token.ts';

const GRANT: TokenGrant = { id: 't', name: '', scopes: ['manage'], organizationId: '', keyId: '', expiresAtMs: 0 };

test.each([
  ['one limit', { limits: { per_day: 5 } }, { limit_per_day: 5 }],
  ['a limit taken off', { limits: { per_minute: null } }, { limit_per_minute: null }],
  ['two limits', { limits: { per_month: 9, burst: 2 } }, { limit_per_month: 9, limit_burst: 2 }],
  ['no limit', { limits: {} }, {}],
  ['the name of the owner', { owner: { name: 'Ada' } }, { owner_name: 'Ada' }],
  ['the address of the owner', { owner: { email: 'ada@example.com' } }, { owner_email: 'ada@example.com' }],
  ['an address taken off', { owner: { name: 'Ada', email: '' } }, { owner_name: 'Ada', owner_email: '' }],
  ['no field of the owner', { owner: {} }, {}],
])('%s: what is left out is not stored', (_name, body, fields) => {
  expect(fieldsOf(KeyBody.parse(body), GRANT)).toEqual(fields);
});
