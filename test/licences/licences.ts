import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../ingest/package-root.ts';

/** Licences under which a package may ship with an Apache-2.0 program without obliging those who run it. */
export const PERMITTED: ReadonlySet<string> = new Set([
  ...[
    'MIT',
    'MIT-0',
    'ISC',
    'BSD-2-Clause',
    'BSD-3-Clause',
    '0BSD',
    'Apache-2.0',
    'Zlib',
    'BlueOak-1.0.0',
    'Unlicense',
  ],
  // Data, with attribution: the country set names its source on every page that shows countries.
  ...['CC-BY-4.0', 'CC0-1.0', 'Python-2.0'],
]);

export interface PackageLicence {
  name: string;
  version: string;
  licence: string;
  permitted: boolean;
}

interface Lock {
  packages: Record<string, { version: string; license?: string; dev?: boolean; devOptional?: boolean; link?: boolean }>;
}

/** Packages that ship (no development packages), with their licence as their own package.json names it. */
export function licencesOf(root: string): PackageLicence[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const shipped = Object.entries(packages).filter(([path, entry]) => path !== '' && !entry.dev && !entry.link);
  const found = new Map<string, PackageLicence>();
  for (const [path, { version, license }] of shipped) {
    const file = join(root, path, 'package.json');
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const own = existsSync(file) ? licenceIn(JSON.parse(readFileSync(file, 'utf8'))) : '';
    const licence = own || license || '';
    found.set(`${name}@${version}`, { name, version, licence, permitted: isPermitted(licence) });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function licenceIn({ license, licenses }: { license?: unknown; licenses?: { type: string }[] }): string {
  if (typeof license === 'string') return license;
  const type = (license as { type?: string } | undefined)?.type;
  return type ?? licenses?.map((entry) => entry.type).join(' OR ') ?? '';
}

/** `(MIT OR GPL-2.0)` is permitted by its first, `A AND B` needs both. */
function isPermitted(licence: string): boolean {
  return (
    licence
      // Data packages name a file and say in parentheses what stands in it.
      .replace(/^SEE LICENSE IN \S+ /, '')
      .replaceAll(/[()]/g, '')
      .split(/ OR /)
      .some((choice) => choice.split(/ AND /).every((part) => PERMITTED.has(part.trim())))
  );
}

/** `npm run licences [-- --write]`: the list, and what the registry knows of holes; the latter only warns. */
function main(): number {
  const root = packageRoot();
  const packages = licencesOf(root);
  const lines = packages.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  const text = `# Licences of the packages that ship\n\nMade by \`npm run licences -- --write\`; a test compares it.\n\n| package | version | licence |\n|---|---|---|\n${lines.join('\n')}\n`;
  if (process.argv.includes('--write')) writeFileSync(join(root, 'docs/licences.md'), text);
  const refused = packages.filter(({ permitted }) => !permitted);
  for (const { name, licence } of refused) console.error(`NOT PERMITTED: ${name} has "${licence}"`);
  console.log(`${packages.length} packages ship, ${refused.length} with a licence that is not permitted`);
  warnOfHoles(root);
  return refused.length === 0 ? 0 : 1;
}

function warnOfHoles(root: string): void {
  const audit = spawnSync('npm', ['audit', '--omit=dev', '--json'], { cwd: root, encoding: 'utf8', timeout: 60_000 });
  let counts: Record<string, number> | undefined;
  try {
    counts = (JSON.parse(audit.stdout) as { metadata?: { vulnerabilities?: Record<string, number> } }).metadata
      ?.vulnerabilities;
  } catch {
    counts = undefined;
  }
  if (!counts) console.error('!!! NPM AUDIT DID NOT ANSWER: known holes in packages were NOT looked for');
  else if ((counts.total ?? 0) > 0) console.error(`!!! NPM AUDIT: ${JSON.stringify(counts)}; see npm audit`);
  else console.log('npm audit knows of no hole in them');
}

if (process.argv[1]?.endsWith('licences.js')) process.exitCode = main();
