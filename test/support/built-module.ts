import { statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../ingest/package-root.ts';

/**
 * The compiled form of a source file, for tests that run it in a process of its own: Node 20 does not run TypeScript.
 *
 * @param source as `ingest/sender.ts`
 * @returns its absolute path
 * @throws Error when it was not built, or changed since: `npm test` builds first, a single file run by hand does not
 */
export function builtModule(source: string): string {
  const path = join(packageRoot(), 'dist', source.replace(/\.ts$/, '.js'));
  const built = statSync(path, { throwIfNoEntry: false });
  if (built && built.mtimeMs >= statSync(join(packageRoot(), source)).mtimeMs) return path;
  throw new Error(`${path} is ${built ? `older than ${source}` : 'missing'}: run npm run build`);
}
