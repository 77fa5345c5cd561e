import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../ingest/package-root.ts';
import { Random } from '../support/random.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { generateTraffic } from '../support/traffic.ts';
import { writtenOut } from './grafana-macros.ts';
import { untilRolledUp } from './rolled-up.ts';

const FOLDER = join(packageRoot(), 'dashboards/grafana');
const DAY_MS = 86_400_000;
const NOW = Date.now();

interface Target {
  rawSql?: string;
  expr?: string;
  datasource: { uid: string };
}
interface Dashboard {
  title: string;
  uid?: string;
  templating: { list: { name: string; type: string; query: string }[] };
  panels: { title: string; datasource: { uid: string }; targets: Target[] }[];
}

const FILES = readdirSync(join(FOLDER, 'dashboards'));
const DASHBOARDS = FILES.map(
  (file) => [file, JSON.parse(readFileSync(join(FOLDER, 'dashboards', file), 'utf8')) as Dashboard] as const,
);
/** Tables that are empty in a healthy installation. */
const MAY_BE_EMPTY = ['Dead letters that wait'];

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
  await stack.call('/v1/keys/key_0', {
    method: 'PUT',
    body: { name: 'It’s a "key"', organization_id: "ac'me", expires_at: new Date(NOW + 9 * DAY_MS).toISOString() },
  });
  await stack.send(generateTraffic(new Random(3), 2_000, 5, NOW - DAY_MS, NOW - 1_000));
  await untilRolledUp(stack.store, 2_000);
});
afterAll(() => stack.stop());

const view = (organization: string) => ({
  fromMs: NOW - 2 * DAY_MS,
  toMs: NOW + 60_000,
  intervalSeconds: 900,
  variables: { organization, key_id: 'key_0' },
});

test('there are the three dashboards', () => {
  expect(FILES.sort()).toEqual(['fleet.json', 'key.json', 'pipeline.json']);
});

describe.each(DASHBOARDS)('%s', (_file, dashboard) => {
  test('no data source and no dashboard is named by a uid of ours', () => {
    const uids = [...JSON.stringify(dashboard).matchAll(/"uid":"([^"]*)"/g)].map(([, uid]) => uid);
    const variables = dashboard.templating.list.filter(({ type }) => type === 'datasource').map(({ name }) => name);
    expect(new Set(uids)).toEqual(new Set(variables.map((name) => `\${${name}}`)));
    expect(dashboard.uid).toBeUndefined();
  });

  test('every variable lists something', async () => {
    for (const { name, query } of dashboard.templating.list.filter(({ type }) => type === 'query')) {
      expect([name, await stack.store.query(query)]).not.toEqual([name, []]);
    }
  });

  const panels = dashboard.panels.flatMap(({ title, targets }) =>
    targets.filter(({ rawSql }) => rawSql).map(({ rawSql }) => [title, rawSql!] as const),
  );
  test.each(panels)('%s', async (title, sql) => {
    for (const organization of ['', "ac'me"]) {
      const rows = await stack.store.query<Record<string, unknown>>(writtenOut(sql, view(organization)));
      if (!MAY_BE_EMPTY.includes(title)) expect(rows.length).toBeGreaterThan(0);
      if (sql.includes('AS time,')) expect(rows[0]).toHaveProperty('time');
    }
  });
});

test('the figures of the fleet are those that were sent', async () => {
  const fleet = DASHBOARDS.find(([file]) => file === 'fleet.json')![1];
  const read = async (title: string, organization: string) => {
    const sql = fleet.panels.find((panel) => panel.title === title)!.targets[0]!.rawSql!;
    return (await stack.store.query<Record<string, number>>(writtenOut(sql, view(organization))))[0]!;
  };
  expect(await read('Requests', '')).toEqual({ requests: 2_000 });
  expect(await read('Keys in use', '')).toEqual({ keys: 5 });
  expect(await read('Keys in use', "ac'me")).toEqual({ keys: 1 });
});

describe('Prometheus', () => {
  interface Rule {
    alert: string;
    expr: string;
    labels: { severity: string };
    annotations: { summary: string; description: string; runbook: string };
  }
  const rules = (
    parse(readFileSync(join(FOLDER, 'prometheus-rules.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }
  ).groups.flatMap((group) => group.rules);
  const expressions = [
    ...rules.map(({ alert, expr }) => [alert, expr] as const),
    ...DASHBOARDS.flatMap(([, { panels }]) =>
      panels.flatMap(({ title, targets }) =>
        targets.filter(({ expr }) => expr).map(({ expr }) => [title, expr!] as const),
      ),
    ),
  ];

  test('every rule says what is wrong and how bad it is', () => {
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, labels, annotations } of rules) {
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(warning|critical)$/)]);
      expect([alert, annotations.summary, annotations.description]).toEqual([
        alert,
        expect.stringMatching(/\w/),
        expect.stringMatching(/\w/),
      ]);
    }
  });

  test('every rule has its section in the runbook, and every section a rule', () => {
    const text = readFileSync(join(packageRoot(), 'docs/runbook.md'), 'utf8');
    const sections = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-'));
    const named = rules.map(({ annotations }) => annotations.runbook.split('docs/runbook.md#')[1]!);
    expect([...new Set(named)].sort()).toEqual(sections.sort());
  });

  test.each(expressions)('%s: its metrics and label values exist', async (_name, expression) => {
    const { text } = await stack.call('/metrics');
    const names = [...expression.matchAll(/\b(?:keytally|nodejs|process)_\w+/g)].map(([name]) => name);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(text).toMatch(new RegExp(`^${name}[ {]`, 'm'));
    for (const [, value] of expression.matchAll(/="(\w+)"/g)) expect(text).toContain(`="${value}"`);
  });
});

// The last one: it adds requests that the figures above do not know.
test('a percentile below one millisecond is the one of /usage', async () => {
  const records = Array.from({ length: 20 }, () => ({
    ...{ key_id: 'quick', timestamp: NOW - 60_000, method: 'GET', path: '/', status: 200, latency_ms: 0.304 },
  }));
  await stack.send(records);
  await untilRolledUp(stack.store, 2_020);
  const panels = DASHBOARDS.find(([file]) => file === 'key.json')![1].panels;
  const sql = panels.find(({ title }) => title === 'Latency p95')!.targets[0]!.rawSql!;
  const asked = { ...view(''), variables: { organization: '', key_id: 'quick' } };
  const [row] = await stack.store.query<{ p95_ms: number }>(writtenOut(sql, asked));
  const { json } = await stack.call('/v1/keys/quick/usage');
  expect(Math.round(row!.p95_ms * 1_000) / 1_000).toBe(json.totals.latency_ms.p95);
  expect(Math.abs(json.totals.latency_ms.p95 / 0.304 - 1)).toBeLessThan(0.01);
});
