import { createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { constants, copyFileSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../ingest/config.ts';

/** The secret key cannot be used; the message names the variable or the file. */
export class SecretKeyError extends Error {
  override readonly name = 'SecretKeyError';
}

/** One key of 32 bytes. `id` says which key sealed something without telling anything of the key. */
export interface SecretKey {
  id: string;
  /** A key of its own for each use, by HKDF-SHA256 (RFC 5869): what leaks of one use says nothing about another. */
  derive(use: 'seal' | 'links'): Buffer;
}

/** The newest key seals and signs; every one of them opens and verifies. */
export interface SecretKeys {
  newest: SecretKey;
  all: readonly SecretKey[];
}

const KEY_BYTES = 32;
const FILE = 'secret-key';

/**
 * The keys of `KEYTALLY_SECRET_KEY`, newest first, or else the one of the file `secret-key` in the data folder, which is made
 * (0600) where it is missing. Parts on several machines need the variable: a file is seen by one machine only.
 *
 * @throws {SecretKeyError} when the variable or the file holds no key of 32 bytes, or the file cannot be written
 */
export function loadSecretKeys(config: Pick<Config, 'KEYTALLY_SECRET_KEY' | 'KEYTALLY_DATA_DIR'>): SecretKeys {
  if (config.KEYTALLY_SECRET_KEY) {
    const given = config.KEYTALLY_SECRET_KEY.split(',').map((text) => decode(text, 'KEYTALLY_SECRET_KEY'));
    return secretKeys(given);
  }
  const path = join(config.KEYTALLY_DATA_DIR, FILE);
  return secretKeys([decode(readOrMake(config.KEYTALLY_DATA_DIR, path), path)]);
}

/** @param keys raw keys of 32 bytes, newest first, at least one */
export function secretKeys(keys: readonly Buffer[]): SecretKeys {
  const all = keys.map(secretKey);
  return { newest: all[0]!, all };
}

function secretKey(raw: Buffer): SecretKey {
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', raw, '', `keytally ${use} v1`, KEY_BYTES));
  return { id: createHmac('sha256', raw).update('keytally key id').digest('hex').slice(0, 8), derive };
}

function decode(text: string, where: string): Buffer {
  const raw = Buffer.from(text.trim(), 'base64');
  if (raw.length === KEY_BYTES) return raw;
  throw new SecretKeyError(`${where}: must hold ${KEY_BYTES} bytes in base64 (openssl rand -base64 ${KEY_BYTES})`);
}

/** Two processes that start at once must agree on one key, and none may read half of it: the file appears whole. */
function readOrMake(folder: string, path: string): string {
  const present = read(path);
  if (present !== undefined) return present;
  const draft = join(folder, `.${FILE}-${randomUUID()}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    publish(draft, path);
  } catch (error) {
    throw new SecretKeyError(`${path} cannot be written (${codeOf(error)}); set KEYTALLY_SECRET_KEY instead`);
  } finally {
    rmSync(draft, { force: true });
  }
  return read(path)!;
}

function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    // A file system without hard links.
    if (['EPERM', 'ENOTSUP', 'ENOSYS'].includes(codeOf(error))) copyFileSync(draft, path, constants.COPYFILE_EXCL);
    else throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new SecretKeyError(`${path} cannot be read (${codeOf(error)})`);
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';
