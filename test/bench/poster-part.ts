/**
 * Posts bodies to a server from a process of its own, so that the measured process shows only its own CPU time.
 * Makes the bodies first, says "ready", waits for a line on standard input, posts all, says "done".
 *
 * usage: node poster-part.js <url> <records> <records per post> <posters> <seed> <uuid 0|1>
 */
import { createInterface } from 'node:readline';
import { Random } from '../support/random.ts';
import { BENCH_TOKEN, bodiesOf } from './bench-traffic.ts';

const [url, records, perPost, posters, seed, withUuid] = process.argv.slice(2) as [string, ...string[]];
const bodies = bodiesOf(new Random(Number(seed)), Number(records), Number(perPost), withUuid === '1');

async function post(body: Buffer): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': 'application/x-ndjson' },
    body: body as unknown as string,
  });
  const text = await response.text();
  if (response.status !== 202) throw new Error(`answered ${response.status}: ${text}`);
}

process.stdout.write('ready\n');
for await (const _line of createInterface({ input: process.stdin })) {
  let next = 0;
  const poster = async () => {
    while (next < bodies.length) await post(bodies[next++]!);
  };
  await Promise.all(Array.from({ length: Number(posters) }, poster));
  process.stdout.write('done\n');
}
