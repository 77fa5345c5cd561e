import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EnvSchema, parseConfig } from '../ingest/config.ts';
import { ConfigError } from '../ingest/config-error.ts';
import { packageRoot } from '../ingest/package-root.ts';

test('the README names every variable, and no other', () => {
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('### Configuration'), readme.indexOf('## More'));
  const named = new Set([...table.matchAll(/`([A-Z][A-Z0-9_]{3,})`/g)].map(([, name]) => name!));
  expect([...named].sort()).toEqual(Object.keys(EnvSchema.shape).sort());
});

test.each([
  ['PORT', '-1'],
  ['PORT', '80 80'],
  ['HOST', ''],
  ['IP_STORAGE', 'some'],
  ['REDIS_URL', 'http://localhost'],
  ['CLICKHOUSE_DATABASE', 'a; DROP'],
  ['KEYTALLY_ADMIN_TOKEN', 'short'],
])('%s=%s', (name, value) => {
  if (value === '') expect(() => parseConfig({ [name]: value })).not.toThrow();
  else expect(() => parseConfig({ [name]: value })).toThrow(new RegExp(`^${name}: `));
});

test('a secret is never shown back, and every bad variable is named', () => {
  const error = (() => {
    try {
      parseConfig({ KEYTALLY_ADMIN_TOKEN: 'CANARY', REDIS_URL: 'CANARY', PORT: 'x' });
    } catch (caught) {
      return caught as ConfigError;
    }
    throw new Error('accepted');
  })();
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message.split('\n').length).toBe(3);
  expect(error.message).not.toContain('CANARY');
});
