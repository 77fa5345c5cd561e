import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../ingest/config.ts';
import { bindValues } from '../../../workers/clickhouse/bind-values.ts';
import { openStore, type Store } from '../../../workers/clickhouse/store.ts';
import { tempFolder } from '../../support/temp-folder.ts';

describe('values in the place of their names', () => {
  it.each<[string, string, object, string]>([
    ['text', 'SELECT {a:String}', { a: "it's" }, "SELECT 'it\\'s'"],
    ['a backslash before a quote', 'SELECT {a:String}', { a: "\\'" }, "SELECT '\\\\\\''"],
    ['a number', 'LIMIT {n:UInt32}', { n: 5 }, "LIMIT _CAST('5', 'UInt32')"],
    ['a fraction', '{n:Float64}', { n: -0.25 }, "_CAST('-0.25', 'Float64')"],
    ['a list of texts', 'IN {l:Array(String)}', { l: ["'", 'b'] }, "IN _CAST(['\\'', 'b'], 'Array(String)')"],
    ['a list of numbers', 'IN {l:Array(Int64)}', { l: [1, -2] }, "IN _CAST([1, -2], 'Array(Int64)')"],
    ['a type with text of its own', "{t:DateTime('UTC')}", { t: 5 }, "_CAST('5', 'DateTime(\\'UTC\\')')"],
    ['an empty list', 'IN {l:Array(String)}', { l: [] }, "IN _CAST([], 'Array(String)')"],
    ['a value that looks like a name', '{a:String} {b:String}', { a: '{b:String}', b: 'x' }, "'{b:String}' 'x'"],
    ['a value that looks like a pattern', '{a:String}', { a: "$& $' $1" }, "'$& $\\' $1'"],
    ['braces that name nothing', "'/v1/{id}/x'", {}, "'/v1/{id}/x'"],
  ])('%s', (_name, sql, params, expected) => {
    expect(bindValues(sql, { ...params })).toBe(expected);
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['a name of every object', Object.create({ a: 'inherited' })],
    ['null', { a: null }],
    ['an object', { a: { toString: () => '1' } }],
    ['a list in a list', { a: [['x']] }],
    ['infinity', { a: Number.POSITIVE_INFINITY }],
  ])('refuses %s and names the parameter', (_name, params) => {
    expect(() => bindValues('SELECT {a:Int64}', params as never)).toThrow(/^a: /);
  });
});

describe('the embedded engine', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(parseConfig({}), tempFolder());
  });
  afterAll(() => store.close());

  it('gives every text back as it was', async () => {
    const texts = [
      "'",
      '\\',
      "\\'",
      "\\\\' OR 1=1 --",
      "'); DROP TABLE keys; --",
      '{a:String}',
      '\u0000',
      'a\u0000b',
      '\n\t\r\b',
      '\u2028 \u{1F511} é',
      '`x` "y" $$z$$ -- /* */',
      String.fromCharCode(...Array.from({ length: 127 }, (_, n) => n + 1)),
      '',
    ];
    for (const a of texts) {
      expect(await store.query('SELECT {a:String} AS a, {l:Array(String)} AS l', { a, l: [a, 'x', a] })).toEqual([
        { a, l: [a, 'x', a] },
      ]);
    }
  });

  it('gives any text back as it was, alone and in a list', async () => {
    const piece = fc.constantFrom("'", '\\', '\0', '{a:String}', '--', '/*', ';', '$$', '`', '\n', "\\'");
    const text = fc.array(fc.oneof(piece, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' })));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1 }), async (texts) => {
        const l = texts.map((parts) => parts.join(''));
        const sql = 'SELECT {a:String} AS a, {l:Array(String)} AS l, {n:Int64} AS n';
        expect(await store.query(sql, { a: l[0], l, n: l.length })).toEqual([{ a: l[0], l, n: l.length }]);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps types and takes lists that are longer than its own bound on statements', async () => {
    const types = 'toTypeName({n:UInt16}) AS n, toTypeName({f:Float64}) AS f, toTypeName({l:Array(UInt32)}) AS l';
    expect(await store.query(`SELECT ${types}`, { n: 1, f: 1, l: [] })).toEqual([
      { n: 'UInt16', f: 'Float64', l: 'Array(UInt32)' },
    ]);
    const ids = Array.from({ length: 100_000 }, (_, n) => `key-${n}`);
    expect(await store.query('SELECT length({ids:Array(String)}) AS n', { ids })).toEqual([{ n: 100_000 }]);
    expect(await store.queryWriter('SELECT length({ids:Array(String)}) AS n', { ids })).toEqual([{ n: 100_000 }]);
  });

  it('answers questions side by side, each with its own values', async () => {
    // A pipe that nobody writes to holds its reader for as long as the test wants.
    const pipe = join(tempFolder(), 'held');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    let isHeld = true;
    const slow = store
      .query("SELECT {a:String} AS a, x FROM file({pipe:String}, 'TSV', 'x String')", { a: 'slow', pipe })
      .finally(() => (isHeld = false));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.query<{ n: number }>('SELECT {n:Int64} AS n', { n })),
    );
    expect(answers.map(([row]) => row!.n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(isHeld).toBe(true);
    await writeFile(pipe, 'read\n');
    expect(await slow).toEqual([{ a: 'slow', x: 'read' }]);
  });
});
