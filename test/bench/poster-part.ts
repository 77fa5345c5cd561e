/**
 * Posts bodies to a server from a process of its own, so that the measured process shows only its own CPU time.
 * Makes the bodies first and says "ready". Each line on standard input is a task: "all" posts everything once, as fast as it is
 * taken; "steady N" posts N records a second until "stop", each poster like a gateway on a connection of its own, in its own
 * rhythm. A task ends with "done" and the number of records.
 *
 * usage: node poster-part.js <url> <records> <records per post> <posters> <seed> <uuid 0|1>
 */
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../support/random.ts';
import { BENCH_TOKEN, bodiesOf } from './bench-traffic.ts';

const [url, records, perPost, posters, seed, withUuid] = process.argv.slice(2) as [string, ...string[]];
const bodies = bodiesOf(new Random(Number(seed)), Number(records), Number(perPost), withUuid === '1');

async function postAll(): Promise<number> {
  let next = 0;
  const agent = new Agent({ keepAlive: true });
  const poster = async () => {
    while (next < bodies.length) await postOn(agent, bodies[next++]!);
  };
  await Promise.all(Array.from({ length: Number(posters) }, poster));
  agent.destroy();
  return Number(records);
}

let isStopped = false;

async function postSteadily(perSecond: number): Promise<number> {
  const startedAt = performance.now();
  const gateways = Number(posters);
  const periodMs = (gateways * Number(perPost) * 1000) / perSecond;
  let sent = 0;
  const gateway = async (_: unknown, which: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; !isStopped; n++) {
      // A post that is late for its answer delays the next: what is taken is counted, not what is wanted.
      await sleep(Math.max(0, (n + which / gateways) * periodMs - (performance.now() - startedAt)));
      if (isStopped) break;
      await postOn(agent, bodies[(n * gateways + which) % bodies.length]!);
      sent += Number(perPost);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: gateways }, gateway));
  return sent;
}

function postOn(agent: Agent, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': 'application/x-ndjson' };
    const posted = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 202 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
      );
    });
    posted.once('error', reject);
    posted.end(body);
  });
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
