/**
 * Posts bodies to a server from a process of its own, so that the measured process shows only its own CPU time.
 * Makes the bodies first and says "ready". Each line on standard input is a task: "all" posts everything once, "steady N" posts
 * at N records a second, from the first body again after the last, until "stop". It ends with "done" and the number of records.
 *
 * usage: node poster-part.js <url> <records> <records per post> <posters> <seed> <uuid 0|1>
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
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

async function postAll(): Promise<number> {
  let next = 0;
  const poster = async () => {
    while (next < bodies.length) await post(bodies[next++]!);
  };
  await Promise.all(Array.from({ length: Number(posters) }, poster));
  return Number(records);
}

let isStopped = false;

/** A body is due at its time whether or not earlier ones were answered, as long as a poster is free. */
async function postSteadily(perSecond: number): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  let sent = 0;
  const poster = async () => {
    while (!isStopped) {
      const n = next++;
      await sleep(Math.max(0, (n * Number(perPost) * 1000) / perSecond - (performance.now() - startedAt)));
      if (isStopped) return;
      await post(bodies[n % bodies.length]!);
      sent += Number(perPost);
    }
  };
  await Promise.all(Array.from({ length: Number(posters) }, poster));
  return sent;
}

process.stdout.write('ready\n');
createInterface({ input: process.stdin }).on('line', async (line) => {
  if (line === 'stop') {
    isStopped = true;
    return;
  }
  isStopped = false;
  const perSecond = Number(line.split(' ')[1]);
  const sent = perSecond > 0 ? await postSteadily(perSecond) : await postAll();
  process.stdout.write(`done ${sent}\n`);
});
