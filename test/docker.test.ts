import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { EnvSchema, parseConfig } from '../ingest/config.ts';
import { packageRoot } from '../ingest/package-root.ts';
import { testFolder } from './support/temp-folder.ts';

const text = (name: string) => readFileSync(join(packageRoot(), name), 'utf8');
const dockerfile = text('Dockerfile');

/** Patterns of .dockerignore, from the root of the context on; exceptions (`!`) are not used here. */
const IGNORED = text('.dockerignore')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    expect(line).toMatch(/^\/?[\w*./-]+$/);
    return new RegExp(`^${line.replace(/^\//, '').replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  });

/** What a build sees: everything but what is ignored. */
function buildContext(): string {
  const folder = testFolder();
  const isSeen = (path: string) => !IGNORED.some((pattern) => pattern.test(relative(packageRoot(), path)));
  for (const name of readdirSync(packageRoot())) {
    const path = join(packageRoot(), name);
    if (isSeen(path)) cpSync(path, join(folder, name), { recursive: true, filter: isSeen });
  }
  return folder;
}

test('what the image is built from is in the build context, and the pages can be built there', () => {
  const folder = buildContext();
  expect(existsSync(join(folder, 'node_modules'))).toBe(false);
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) => sources!.split(' '));
  const { include } = JSON.parse(text('tsconfig.json')) as { include: string[] };
  expect(copied).toContain('workers/clickhouse/migrations');
  expect([...copied, ...include].filter((path) => !existsSync(join(folder, path)))).toEqual([]);
  // As the Dockerfile installs them.
  symlinkSync(join(packageRoot(), 'node_modules'), join(folder, 'node_modules'));
  const [, command] = /node (node_modules\/vite\/bin\/vite\.js .*?);/.exec(dockerfile)!;
  const built = spawnSync(process.execPath, [...command!.split(' '), '--logLevel', 'warn'], { cwd: folder });
  expect(String(built.stderr)).toBe('');
  expect(readdirSync(join(folder, 'dist/dashboards'))).toContain('index.html');
});

interface Service {
  build?: string;
  command: string[];
  environment: Record<string, string | null>;
  env_file: { path: string; required: boolean }[];
  volumes?: string[];
}

const compose = parse(text('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const parts = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);

/** As Compose hands it to a container when nothing is set anywhere. */
function bareEnvironment({ environment }: Service): Record<string, string> {
  const entries = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, value.replace(/\$\{\w+:-(.*?)\}/g, '$1')]));
}

test.each(parts)('%s takes every setting from .env, and nothing here stands in its way', (_name, service) => {
  expect(service.env_file).toEqual([{ path: '.env', required: false }]);
  expect(Object.keys(service.environment).filter((name) => !(name in EnvSchema.shape))).toEqual([]);
  // An empty value would go before that of the file.
  expect(Object.entries(bareEnvironment(service)).filter(([, value]) => value === '')).toEqual([]);
  expect(() => parseConfig(bareEnvironment(service))).not.toThrow();
});

test('without a secret key api and worker find one in a folder that they share and may write to', () => {
  const [, user] = /^USER (\w+)$/m.exec(dockerfile)!;
  const workdir = [...dockerfile.matchAll(/^WORKDIR (\S+)$/gm)].at(-1)![1]!;
  const before = dockerfile.slice(dockerfile.lastIndexOf('FROM '), dockerfile.indexOf(`USER ${user}`));
  const [, made, owner, owned] = /^RUN mkdir (\S+) && chown (\S+) (\S+)$/m.exec(before)!;
  expect([made, owner]).toEqual([owned, `${user}:${user}`]);
  for (const name of ['api', 'worker']) {
    const service = compose.services[name]!;
    const { KEYTALLY_SECRET_KEY: key, KEYTALLY_DATA_DIR: folder } = parseConfig(bareEnvironment(service));
    expect([key, posix.resolve(workdir, folder)]).toEqual([undefined, posix.join(workdir, made!)]);
    expect(service.volumes).toEqual([`data:${posix.resolve(workdir, folder)}`]);
  }
  expect(compose.volumes).toHaveProperty('data');
});
