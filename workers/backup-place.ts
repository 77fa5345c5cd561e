import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../ingest/config-error.ts';
import { type ObjectStore, openObjectStore, type S3Settings } from './object-store.ts';

export interface BackupFile {
  file: string;
  sha256: string;
}

/** Where a backup lies: a folder, or objects under a prefix. */
export interface BackupPlace {
  /** As it is shown to people. */
  readonly name: string;
  /** Makes the place ready. @throws {ConfigError} when it holds something */
  prepare(): Promise<void>;
  /** Writes a file by way of a path on this machine. */
  save(file: string, write: (path: string) => Promise<void>): Promise<BackupFile>;
  saveText(file: string, text: string): Promise<void>;
  /** Text of a small file, undefined when it is not there. */
  readText(file: string): Promise<string | undefined>;
  /** Looks at all files before anything is loaded. @throws {ConfigError} naming the first that cannot be used */
  check(files: readonly BackupFile[]): Promise<void>;
  /** Uses a file by way of a path on this machine. @throws {ConfigError} when it is not as it was written */
  use<Result>(file: BackupFile, act: (path: string) => Promise<Result>): Promise<Result>;
  close(): void;
}

const S3_PREFIX = 's3://';

/** @param address a folder, or `s3://bucket/prefix` */
export function openBackupPlace(address: string, settings: S3Settings): BackupPlace {
  if (!address.startsWith(S3_PREFIX)) return new FolderPlace(resolve(address));
  return new ObjectPlace(address.replace(/\/+$/, ''), openObjectStore(address, settings));
}

class FolderPlace implements BackupPlace {
  readonly name: string;

  constructor(folder: string) {
    this.name = folder;
  }

  async prepare(): Promise<void> {
    if (existsSync(this.name) && readdirSync(this.name).length > 0) throw new ConfigError(`${this.name}: is not empty`);
    mkdirSync(this.name, { recursive: true, mode: 0o700 });
  }

  async save(file: string, write: (path: string) => Promise<void>): Promise<BackupFile> {
    const path = join(this.name, file);
    await write(path);
    return { file, sha256: await sha256Of(path) };
  }

  /** Whole or not at all: a reader never sees half of it. */
  async saveText(file: string, text: string): Promise<void> {
    const path = join(this.name, file);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async readText(file: string): Promise<string | undefined> {
    const path = join(this.name, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  async check(files: readonly BackupFile[]): Promise<void> {
    for (const { file, sha256 } of files) {
      const path = join(this.name, file);
      if (!existsSync(path)) throw new ConfigError(`${path}: is missing`);
      if ((await sha256Of(path)) !== sha256) throw changed(path);
    }
  }

  use<Result>({ file }: BackupFile, act: (path: string) => Promise<Result>): Promise<Result> {
    return act(join(this.name, file));
  }

  close(): void {}
}

/** Objects go through a folder of their own on this machine, one at a time: it needs room for the largest. */
class ObjectPlace implements BackupPlace {
  readonly name: string;
  readonly #objects: ObjectStore;
  readonly #folder = mkdtempSync(join(tmpdir(), 'keytally-backup-'));

  constructor(name: string, objects: ObjectStore) {
    this.name = name;
    this.#objects = objects;
  }

  async prepare(): Promise<void> {
    if (await this.#objects.holdsAnything()) throw new ConfigError(`${this.name}: is not empty`);
  }

  async save(file: string, write: (path: string) => Promise<void>): Promise<BackupFile> {
    return this.#passing(file, async (path) => {
      await write(path);
      await this.#objects.put(file, path);
      return { file, sha256: await sha256Of(path) };
    });
  }

  async saveText(file: string, text: string): Promise<void> {
    await this.#passing(file, async (path) => {
      await writeFile(path, text, { mode: 0o600 });
      await this.#objects.put(file, path);
    });
  }

  async readText(file: string): Promise<string | undefined> {
    return this.#passing(file, async (path) =>
      (await this.#objects.get(file, path)) ? readFileSync(path, 'utf8') : undefined,
    );
  }

  async check(files: readonly BackupFile[]): Promise<void> {
    for (const { file } of files) {
      if (!(await this.#objects.has(file))) throw new ConfigError(`${this.name}/${file}: is missing`);
    }
  }

  use<Result>({ file, sha256 }: BackupFile, act: (path: string) => Promise<Result>): Promise<Result> {
    return this.#passing(file, async (path) => {
      if (!(await this.#objects.get(file, path))) throw new ConfigError(`${this.name}/${file}: is missing`);
      if ((await sha256Of(path)) !== sha256) throw changed(`${this.name}/${file}`);
      return act(path);
    });
  }

  async #passing<Result>(file: string, act: (path: string) => Promise<Result>): Promise<Result> {
    const path = join(this.#folder, file);
    try {
      return await act(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const changed = (path: string) => new ConfigError(`${path}: is not as it was written (its checksum differs)`);

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
