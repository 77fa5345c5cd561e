import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../workers/alerts/backtest.ts';
import { seededRandom } from './seeded-random.ts';

let folder: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backtest-'));
  said = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function run(csv: string): Promise<{ code: number; lines: string[] }> {
  const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.csv')];
  writeFileSync(input, csv);
  const code = await main(['--input', input, '--output', output]);
  return { code, lines: code === 0 ? readFileSync(output, 'utf8').trimEnd().split('\n') : [] };
}

/** Two weeks of hours with a daily season, a gap, blanks, duplicates, a burst and a level shift. */
function roughSeries(rows: number): string[] {
  const random = seededRandom(7);
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    const skip = row > 200 ? 50 : 0;
    const at = new Date(Date.UTC(2026, 0, 1) + (row - (row % 90 === 89 ? 1 : 0) + skip) * 3_600_000);
    const level = 100 + 50 * Math.sin((row * Math.PI) / 12) + (row > 400 ? 80 : 0) + (row === 300 ? 900 : 0);
    const value = row % 37 === 0 ? '' : (level + 5 * random.normal()).toFixed(3);
    lines.push(`${at.toISOString()},${value}`);
  }
  return lines;
}

describe('backtest', () => {
  it('writes one row per row with a score in 0..1 and keeps the cells as they were', async () => {
    const rows = roughSeries(600);
    const { code, lines } = await run(['timestamp,value', ...rows].join('\n'));
    expect(code).toBe(0);
    expect(lines[0]).toBe('timestamp,value,score');
    expect(lines.length).toBe(rows.length + 1);
    lines.slice(1).forEach((line, index) => {
      expect(line.startsWith(`${rows[index]},`)).toBe(true);
      const score = Number(line.split(',')[2]);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    });
    expect(Number(lines[301]!.split(',')[2])).toBeGreaterThan(0.5);
  });

  it('never looks ahead: the scores of a truncated input are those of the whole', async () => {
    const rows = roughSeries(600);
    const whole = (await run(['timestamp,value', ...rows].join('\n'))).lines;
    for (const kept of [1, 59, 61, 250, 301, 450]) {
      const part = (await run(['timestamp,value', ...rows.slice(0, kept)].join('\n'))).lines;
      expect(part).toEqual(whole.slice(0, kept + 1));
    }
  });

  it.each([
    ['ISO', '2026-01-02T03:04:05Z'],
    ['ISO with zone', '2026-01-02T03:04:05+01:00'],
    ['plain', '2026-01-02 03:04:05'],
    ['quoted', '"2026-01-02 03:04:05"'],
    ['epoch seconds', '1767322800'],
    ['epoch milliseconds', '1767322800000'],
    ['US', '1/2/2026 3:04 PM'],
    ['US short', '1/2/26 15:04'],
  ])('reads %s times', async (_, time) => {
    expect((await run(`Label,VALUE,TimeStamp\r\n0,3,${time}\r\n`)).lines).toEqual([
      'timestamp,value,score',
      `${time.replaceAll('"', '')},3,0`,
    ]);
  });

  it.each([
    ['2026-01-01,1\nyesterday,2', 'row 3, column timestamp: "yesterday" is not a time'],
    ['2026-02-30,1', 'row 2, column timestamp: "2026-02-30" is not a time'],
    ['2026-01-01,many', 'row 2, column value: "many" is not a number'],
    ['2026-01-01,Infinity', 'row 2, column value: "Infinity" is not a number'],
    [',1', 'row 2, column timestamp: "" is not a time'],
  ])('names row and column of %j', async (rows, message) => {
    expect((await run(`timestamp,value\n${rows}\n`)).code).toBe(1);
    expect(said).toEqual([`backtest: ${message}\n`]);
  });

  it.each([
    ['', 'the input is empty: a header with timestamp and value is needed'],
    ['time,value\n1,2\n', 'row 1: no column named timestamp (found: time, value)'],
  ])('explains a bad header %j', async (csv, message) => {
    expect((await run(csv)).code).toBe(1);
    expect(said).toEqual([`backtest: ${message}\n`]);
  });

  it('says what is missing on the command line and refuses to overwrite its input', async () => {
    expect(await main([])).toBe(1);
    const input = join(folder, 'same.csv');
    writeFileSync(input, 'timestamp,value\n');
    expect(await main(['--input', input, '--output', input])).toBe(1);
    expect(await main(['--input', join(folder, 'none.csv'), '--output', input])).toBe(1);
    expect(said[0]).toContain('usage: npm run backtest');
    expect(said[1]).toContain('same file');
    expect(said[2]).toContain('does not exist');
  });
});

describe('backtest --rule traffic_anomaly', () => {
  const DAY_BUCKETS = 288;
  const START = Date.UTC(2026, 0, 5);

  async function openings(csv: string, rule = 'traffic_anomaly'): Promise<{ code: number; lines: string[] }> {
    const [input, output] = [join(folder, 'counts.csv'), join(folder, 'alerts.csv')];
    writeFileSync(input, csv);
    const code = await main(['--input', input, '--output', output, '--rule', rule]);
    return { code, lines: code === 0 ? readFileSync(output, 'utf8').trimEnd().split('\n') : [] };
  }

  /** Six weeks with a daily season; half an hour of 20 times as much on day 37, an hour of nothing on day 39. */
  function counts(stepMinutes: number): string {
    const random = seededRandom(11);
    const lines = ['timestamp,value'];
    for (let bucket = 0; bucket < 42 * DAY_BUCKETS; bucket++) {
      const [day, ofDay] = [Math.floor(bucket / DAY_BUCKETS), bucket % DAY_BUCKETS];
      const usual = 200 + 100 * Math.sin((ofDay / DAY_BUCKETS) * 2 * Math.PI);
      let value = Math.max(0, Math.round(usual + Math.sqrt(usual) * random.normal()));
      if (day === 37 && ofDay >= 100 && ofDay < 106) value *= 20;
      if (day === 39 && ofDay >= 100 && ofDay < 112) value = 0;
      for (let part = 0; part < 5 / stepMinutes; part++) {
        const at = new Date(START + (bucket * 5 + part * stepMinutes) * 60_000).toISOString();
        lines.push(`${at},${part === 0 ? value : 0}`);
      }
    }
    return lines.join('\n');
  }

  it('opens what the evaluation would have opened, once, and says when it ended', async () => {
    const { code, lines } = await openings(counts(5));
    expect([code, lines[0]]).toEqual([0, 'opened_at,ended_at,scope,severity,summary']);
    const alerts = lines.slice(1).map((line) => line.split(','));
    expect(alerts.map(([at, , scope, severity]) => [at!.slice(0, 10), scope, severity])).toEqual([
      ['2026-02-11', 'spike', 'warning'],
      ['2026-02-13', 'drop', 'warning'],
    ]);
    for (const [at, ended] of alerts) expect(Date.parse(ended!)).toBeGreaterThan(Date.parse(at!));
    expect(said.join('')).toBe('2 alerts\n');
  });

  it('adds minutes up to the buckets that are judged', async () => {
    expect((await openings(counts(1))).lines).toEqual((await openings(counts(5))).lines);
  });

  it.each([
    ['hours', 'timestamp,value\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:00Z,2', 'more than five minutes apart'],
    ['below zero', 'timestamp,value\n2026-01-01T00:00:00Z,-1', 'row 2, column value: "-1" is not a count'],
    ['an empty file', '', 'the input is empty'],
  ])('refuses %s', async (_, csv, reason) => {
    expect((await openings(csv)).code).toBe(1);
    expect(said.join('')).toContain(reason);
  });

  it('refuses a rule it does not have', async () => {
    expect((await openings('timestamp,value\n', 'latency')).code).toBe(1);
    expect(said.join('')).toContain('--rule: must be traffic_anomaly');
  });
});
