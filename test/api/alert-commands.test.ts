import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../ingest/package-root.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { openDeliveryQueue } from '../../workers/alerts/outbox.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

let stack: Stack;
const folder = tempFolder();

/** The schedule of limits runs as it does in production. */
beforeAll(async () => {
  stack = await startStack({ ALERT_EVALUATION_CRON: '0 0 1 1 *' });
});
afterAll(() => stack.stop());

async function run(...args: string[]) {
  const child = spawn(process.execPath, ['dist/main.js', 'alerts', ...args, '--url', stack.url], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, HOME: folder, KEYTALLY_TOKEN: ADMIN_TOKEN },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

test('a limit crossed over HTTP is handed to delivery by the schedule; then listed, shown and acknowledged from a terminal', async () => {
  await stack.call('/v1/keys/metered', { method: 'PUT', body: { limits: { per_day: 100 } } });
  const sentAt = Date.now();
  await stack.send(Array.from({ length: 95 }, () => ({ key_id: 'metered', path: '/', status: 200 })));
  const redis = await connectRedis(stack.redisUrl, 'worker', () => {});
  const delivery = openDeliveryQueue(redis);
  // The schedules of delivery itself put jobs there, too.
  const isHandedOver = async () =>
    (await delivery.getJobs(['waiting', 'active', 'completed', 'delayed', 'failed'])).some(
      (job) => job?.data.kind === 'route',
    );
  while (!(await isHandedOver())) await sleep(50);
  console.log(`handed to delivery ${Date.now() - sentAt} ms after the request that crossed the limit`);
  await delivery.close();
  redis.disconnect();

  const { data } = JSON.parse((await run('list', '--json', '--phase', 'open')).out);
  expect(data).toMatchObject([{ kind: 'near_limit', scope: 'day', key_id: 'metered', severity: 'warning' }]);
  expect((await run('list')).out).toMatch(/near_limit +day +metered +firing +warning +95 % of its daily limit is used/);
  const shown = await run('show', data[0].alert_id);
  expect(shown.out).toMatch(/^what +95 % of its daily limit is used: 95 of 100 requests\./m);
  expect((await run('ack', data[0].alert_id, '--note', 'seen')).out).toMatch(/^acknowledged +by \S+, /m);
  expect((await run('show', data[0].alert_id)).out).toMatch(/acknowledged/);
  expect((await run('show', 'nothing')).code).toBe(1);
});

test('rules: apply, list, preview; a mistake is told with its line', async () => {
  const file = join(folder, 'alerts.yaml');
  writeFileSync(file, 'rules:\n  - name: early\n    kind: near_limit\n    settings: { steps_percent: [50] }\n');
  expect((await run('rules', 'apply', file)).out).toBe('1 created, 0 changed, 0 deleted, 0 as they were\n');
  expect((await run('rules', 'apply', file)).out).toBe('0 created, 0 changed, 0 deleted, 1 as they were\n');
  expect((await run('rules', 'list')).out).toMatch(/early +near_limit +everything +\{"steps_percent":\[50\]\} +file/);
  expect((await run('rules', 'preview', file, '--days', '1')).out).toMatch(
    /^early: would have fired once in a day \(1 key looked at\)/,
  );
  writeFileSync(file, 'rules:\n  - name: early\n    kind: near_limt\n');
  const bad = await run('rules', 'apply', file);
  expect([bad.code, bad.err]).toEqual([1, expect.stringMatching(/alerts\.yaml:3: rules\[0\]\.kind: /)]);
});
