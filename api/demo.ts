import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import cliProgress from 'cli-progress';
import { recordsOfAccessLog, shiftToNow } from '../ingest/demo/access-log.ts';
import { packageRoot } from '../ingest/package-root.ts';
import { connectRedis } from '../ingest/redis.ts';
import { Tokens } from '../workers/tokens.ts';
import type { Running } from './parts.ts';

const LOG_FILE = 'ingest/demo/apache_combined.log';
/** Says that this data folder holds the sample traffic already. */
const MARKER = 'demo-replayed';
const RECORDS_PER_POST = 250;
/** Posts under way at once, as from a few gateways. */
const POSTERS = 8;
const POLL_MS = 200;
const VISIBLE_TIMEOUT_MS = 60_000;
const TOKEN_NAME = 'demo';

/** Replays real traffic through the HTTP edge, waits until the usage tab shows it, and says where to look. */
export async function runDemo(running: Running): Promise<void> {
  const token = await demoToken(running);
  const marker = join(resolve(running.config.KEYTALLY_DATA_DIR), MARKER);
  if (existsSync(marker)) {
    process.stdout.write('\nThe sample traffic of an earlier run is still here.\n');
  } else {
    await replay(running.url, token);
    writeFileSync(marker, new Date().toISOString());
  }
  const busiest = await busiestKey(running.url, token);
  process.stdout.write(
    `\n  Keytally      ${running.url}\n  One key       ${running.url}/keys/${encodeURIComponent(busiest)}\n` +
      `  API           ${running.url}/docs\n  Token         ${token}\n\n` +
      'Sign in with the token. Stop with Ctrl-C; the data stay for the next start.\n\n',
  );
}

/** A fresh administrator token per run; those of earlier runs end. */
async function demoToken({ redisUrl, store }: Running): Promise<string> {
  const redis = await connectRedis(redisUrl, 'producer', () => {});
  try {
    const tokens = new Tokens(store!, redis);
    for (const { id, name } of await tokens.list()) if (name === TOKEN_NAME) await tokens.revoke(id);
    return (await tokens.create({ name: TOKEN_NAME, scopes: ['admin'] })).token;
  } finally {
    redis.disconnect();
  }
}

async function replay(url: string, token: string): Promise<void> {
  const parsed = recordsOfAccessLog(readFileSync(join(packageRoot(), LOG_FILE)), Date.now());
  const records = shiftToNow(parsed.records, Date.now());
  process.stdout.write(
    `\nReplaying ${records.length.toLocaleString('en')} real requests (Apache log, elastic/examples)\n`,
  );
  for (const { index, message } of parsed.rejects) process.stdout.write(`  line ${index + 1} left out: ${message}\n`);
  const bar = new cliProgress.SingleBar({
    format: '  {bar} {percentage}%  {value}/{total} requests  {rate} per second',
    noTTYOutput: true,
    notTTYSchedule: 2_000,
  });
  const startedAt = Date.now();
  bar.start(records.length, 0, { rate: 0 });
  let next = 0;
  let done = 0;
  const poster = async () => {
    while (next < records.length) {
      const at = next;
      next += RECORDS_PER_POST;
      const part = records.slice(at, at + RECORDS_PER_POST);
      await post(url, token, part, `demo-${startedAt}-${at}`);
      done += part.length;
      bar.update(done, { rate: Math.round((done / (Date.now() - startedAt)) * 1000) });
    }
  };
  await Promise.all(Array.from({ length: POSTERS }, poster));
  bar.stop();
  await untilVisible(url, token, records.length);
}

async function post(url: string, token: string, records: readonly object[], idempotencyKey: string): Promise<void> {
  const response = await fetch(`${url}/v1/requests`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/x-ndjson',
      'Idempotency-Key': idempotencyKey,
    },
    body: records.map((record) => JSON.stringify(record)).join('\n'),
  });
  const answer = (await response.json()) as { rejected?: number; detail?: string; errors?: { message: string }[] };
  if (response.status !== 202) throw new Error(`the collector answered ${response.status}: ${answer.detail}`);
  if (answer.rejected)
    throw new Error(`${answer.rejected} sample records were rejected: ${answer.errors?.[0]?.message}`);
}

async function untilVisible(url: string, token: string, expected: number): Promise<void> {
  const startedAt = Date.now();
  for (;;) {
    const from = new Date(Date.now() - 30 * 86_400_000).toISOString();
    const groups = await get<{ data: { requests: number }[] }>(`${url}/v1/usage?group_by=status&from=${from}`, token);
    const counted = groups.data.reduce((sum, row) => sum + row.requests, 0);
    if (counted >= expected) {
      process.stdout.write(`  counted ${counted.toLocaleString('en')}\n`);
      return;
    }
    if (Date.now() - startedAt > VISIBLE_TIMEOUT_MS) {
      throw new Error(`only ${counted} of ${expected} requests are visible after a minute; see the log above`);
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

async function busiestKey(url: string, token: string): Promise<string> {
  const keys = await get<{ data: { key_id: string }[] }>(`${url}/v1/keys?sort=-total_requests&limit=1`, token);
  return keys.data[0]?.key_id ?? '';
}

async function get<Answer>(url: string, token: string): Promise<Answer> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as Answer;
}
