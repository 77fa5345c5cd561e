import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import autocannon from 'autocannon';
import { packageRoot } from '../../ingest/package-root.ts';
import { createSender } from '../../ingest/sender.ts';
import { cpuOf } from './cpu-time.ts';

const RECORDS = 50_000;
const ROUNDS = 7;
const PAIRS = 8;
const SECONDS = 4;
const CONNECTIONS = 20;

/** Cost of the SDK in the host: CPU time of `record()`, and throughput of an Express application without and with the middleware, in turns. */
export async function benchSdk(say: (line: string) => void): Promise<Record<string, number>> {
  const receiver = createServer((req, res) => {
    req.resume();
    req.on('end', () =>
      res.writeHead(202, { 'Content-Type': 'application/json' }).end('{"accepted":1,"rejected":0,"errors":[]}'),
    );
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const record = await recordMicros(url);
  say(`record(): ${record} µs`);
  const [without, withIt] = [await Host.start('none'), await Host.start(url)];
  const rates: { without: number; with: number; microsWithout: number; microsWith: number }[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    // In turns, so that both have the same share of what else the machine does.
    const order = pair % 2 === 0 ? [without, withIt] : [withIt, without];
    const results = new Map<Host, { rate: number; micros: number }>();
    for (const host of order) results.set(host, await host.load());
    const [a, b] = [results.get(without)!, results.get(withIt)!];
    rates.push({ without: a.rate, with: b.rate, microsWithout: a.micros, microsWith: b.micros });
    say(
      `requests/s without ${a.rate}, with ${b.rate}; CPU µs per request ${a.micros.toFixed(1)}, ${b.micros.toFixed(1)}`,
    );
  }
  without.stop();
  withIt.stop();
  receiver.close();
  const best = (name: 'without' | 'with') => Math.max(...rates.map((rate) => rate[name]));
  const least = (name: 'microsWithout' | 'microsWith') => Math.min(...rates.map((rate) => rate[name]));
  return {
    record_micros: record,
    requests_per_second_without: best('without'),
    requests_per_second_with: best('with'),
    throughput_lost_percent: Number(((1 - best('with') / best('without')) * 100).toFixed(1)),
    cpu_micros_per_request_without: Number(least('microsWithout').toFixed(1)),
    cpu_micros_per_request_with: Number(least('microsWith').toFixed(1)),
    cpu_added_percent: Number(((least('microsWith') / least('microsWithout') - 1) * 100).toFixed(1)),
  };
}

/** Least of several rounds; sending happens outside of the measured loop, in the background of the host. */
async function recordMicros(url: string): Promise<number> {
  const example = {
    key_id: 'key_1',
    method: 'GET',
    path: '/v1/things/17',
    route: '/v1/things/{id}',
    status: 200,
    latency_ms: 3.2,
  };
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const sender = createSender({ url, token: 'kt_x', maxRecords: RECORDS * 2 });
    const micros = await cpuOf(() => {
      for (let n = 0; n < RECORDS; n++) sender.record({ ...example });
    });
    least = Math.min(least, micros / RECORDS);
    await sender.close();
  }
  return Number(least.toFixed(3));
}

/** An Express application in a process of its own: see sdk-host-part.ts. */
class Host {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(keytallyUrl: string): Promise<Host> {
    const program = join(packageRoot(), 'dist/test/bench/sdk-host-part.js');
    const child = spawn(process.execPath, [program, keytallyUrl], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    return new Host(child, (JSON.parse(line) as { url: string }).url);
  }

  async load(): Promise<{ rate: number; micros: number }> {
    const before = await this.#cpuMicros();
    const result = await autocannon({
      url: `${this.#url}/users/17`,
      connections: CONNECTIONS,
      duration: SECONDS,
      headers: { 'x-api-key': 'secret-of-a-customer' },
    });
    const requests = result.requests.total;
    return { rate: Math.round(requests / result.duration), micros: ((await this.#cpuMicros()) - before) / requests };
  }

  async #cpuMicros(): Promise<number> {
    return Number(await (await fetch(`${this.#url}/cpu`)).text());
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
