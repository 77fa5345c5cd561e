import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../ingest/package-root.ts';

/** The release that runs. */
export function programVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}
