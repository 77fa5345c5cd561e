import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parseConfig } from '../../ingest/config.ts';
import { openStore } from '../../workers/clickhouse/store.ts';
import { compare } from '../chaos/compare.ts';
import { Gateway } from '../chaos/gateway.ts';
import { Ledger } from '../chaos/ledger.ts';
import { fixedPort } from '../support/fixed-port.ts';
import { startPart } from '../support/process.ts';
import { Random } from '../support/random.ts';
import { ADMIN_TOKEN } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('SIGTERM under load: it ends by itself, and everything that was confirmed is counted once', async () => {
  const folder = tempFolder();
  const env = { PORT: String(await fixedPort()), KEYTALLY_DATA_DIR: folder, KEYTALLY_ADMIN_TOKEN: ADMIN_TOKEN };
  const ledger = new Ledger();
  let program = await startPart('start', env);
  const target = { urls: [program.url], token: ADMIN_TOKEN };
  const gateways = Array.from({ length: 6 }, (_, n) => {
    const repeats = n % 2 === 0 ? 'idempotency_key' : 'request_id';
    return new Gateway(`g${n}`, repeats, target, new Random(n), ledger);
  });
  const load = Promise.all(gateways.map((gateway) => gateway.run()));
  const stops: number[] = [];
  for (let stop = 0; stop < 2; stop++) {
    await sleep(2_500);
    const startedAt = performance.now();
    program.child.kill('SIGTERM');
    expect(await program.exited).toBe(0);
    stops.push(Math.round(performance.now() - startedAt));
    program = await startPart('start', env);
  }
  for (const gateway of gateways) gateway.finish();
  await load;
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  const total = async () => {
    const { data } = await (await fetch(`${program.url}/v1/keys?limit=500`, { headers })).json();
    return data.reduce((sum: number, key: { total_requests: number }) => sum + key.total_requests, 0);
  };
  await expect.poll(total).toBe(ledger.ids.size);
  await program.kill('SIGTERM');
  console.info(`stopped under load in ${stops.join(' and ')} ms; ${ledger.ids.size} records confirmed`);
  const store = await openStore(parseConfig({}), join(folder, 'clickhouse'));
  const comparison = await compare((sql) => store.query(sql), ledger, new Map());
  await store.close();
  expect(comparison.examples).toEqual([]);
}, 120_000);

test('SIGTERM while a client stands still in the middle of its body: everything is stopped in order all the same', async () => {
  const program = await startPart('start', { KEYTALLY_DATA_DIR: tempFolder(), KEYTALLY_ADMIN_TOKEN: ADMIN_TOKEN });
  const { hostname, port } = new URL(program.url);
  const client = connect(Number(port), hostname);
  client.on('error', () => {});
  client.write(
    `POST /v1/requests HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\n` +
      'Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n[',
  );
  await once(client, 'data');
  program.child.kill('SIGTERM');
  expect(await program.exited).toBe(0);
  client.destroy();
});
