import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { parseRecord, type RecordInput } from '../../ingest/record.ts';
import { createSender, type SenderError } from '../../ingest/sender.ts';
import { builtModule } from '../support/built-module.ts';

import {
  answerWith,
  expectBalanced,
  fails,
  fill,
  first,
  paths,
  receiveAnewForEachTest,
  record,
  reply,
  requests,
  sender,
  store,
  stored,
  storedRecords,
  url,
} from '../support/record-receiver.ts';
import { untilPasses } from '../support/until-passes.ts';

receiveAnewForEachTest();

describe('batches', () => {
  it('go out when enough records wait, compressed, with token and Idempotency-Key', async () => {
    const target = sender({ flushRecords: 100, flushIntervalMs: 60_000, service: 'shop', environment: 'staging' });
    fill(target, 99);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(requests).toHaveLength(0);
    fill(target, 1, 99);
    await untilPasses(() => expect(target.stats().sent).toBe(100));
    expect(requests).toHaveLength(1);
    expect(requests[0]!.headers).toMatchObject({ authorization: 'Bearer kt_test', 'content-encoding': 'br' });
    expect(requests[0]!.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(requests[0]!.records[0]).toMatchObject({ service: 'shop', environment: 'staging', path: '/things/0' });
    expectBalanced(target);
  });

  it('go out after the interval with the time the record was taken', async () => {
    const target = sender({ flushIntervalMs: 100 });
    const before = Date.now();
    fill(target, 3);
    const after = Date.now();
    await untilPasses(() => expect(target.stats().sent).toBe(3));
    const time = storedRecords()[0]!.timestamp as number;
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
  });

  it('are bounded, in order of recording, and complete', async () => {
    const target = sender({ batchRecords: 300, concurrency: 1 });
    fill(target, 10_000);
    await target.flush();
    expect(Math.max(...stored.map(({ records }) => records.length))).toBeLessThanOrEqual(300);
    expect(paths()).toEqual(Array.from({ length: 10_000 }, (_, id) => `/things/${id}`));
    expect(target.stats()).toMatchObject({ sent: 10_000, pending: 0 });
  });

  it('pass the validation of the record contract', async () => {
    const target = sender();
    target.record({ key: 'secret-key', status: 204, path: '/a' });
    await target.flush();
    const parsed = parseRecord(storedRecords()[0], 0, Date.now(), { pastMs: 60_000, futureMs: 60_000 });
    expect(parsed).not.toHaveProperty('message');
    expect(requests[0]!.body).not.toContain('secret-key');
    expect(storedRecords()[0]!.key_sha256).toBe(createHash('sha256').update('secret-key').digest('hex'));
  });

  it('carry the raw key only when asked to', async () => {
    const target = sender({ keyHash: false });
    target.record({ key: 'secret-key', status: 204 });
    await target.flush();
    expect(storedRecords()[0]).toMatchObject({ key: 'secret-key' });
    expect(storedRecords()[0]).not.toHaveProperty('key_sha256');
  });

  it('have the record as it was when it was taken', async () => {
    const target = sender();
    const reused = record(1);
    target.record(reused);
    reused.path = '/changed';
    target.record(reused);
    await target.flush();
    expect(paths()).toEqual(['/things/1', '/changed']);
  });

  it('go out at half of what may be held, without waiting for the interval', async () => {
    const target = sender({ maxRecords: 100, flushIntervalMs: 600_000 });
    fill(target, 50);
    await untilPasses(() => expect(target.stats().sent).toBe(50));
  });
});

describe('a receiver in trouble', () => {
  it.each([500, 503, 408])('answering %i gets the same batch under the same key again', async (status) => {
    answerWith(first(fails(status), fails(status)));
    const target = sender();
    fill(target, 5);
    await target.flush();
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(({ key }) => key)).size).toBe(1);
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1);
    expect(target.stats()).toMatchObject({ sent: 5, pending: 0, retries: 2 });
  });

  it('answering 429 is left alone as long as it asks for', async () => {
    answerWith(first(fails(429, { 'retry-after': '1' })));
    const target = sender();
    fill(target, 5);
    const began = performance.now();
    await target.flush();
    expect(performance.now() - began).toBeGreaterThan(950);
    expect(target.stats().sent).toBe(5);
  });

  it('not answering in time is asked again, and what it stored is not counted twice', async () => {
    // Stores, but the answer never arrives: the classic unknown outcome.
    answerWith(first((received) => stored.push(received)));
    const target = sender({ timeoutMs: 150 });
    fill(target, 5);
    await target.flush();
    expect(requests).toHaveLength(2);
    expect(paths()).toHaveLength(5);
    expect(target.stats()).toMatchObject({ sent: 5, retries: 1 });
  });

  it('breaking the connection is asked again', async () => {
    answerWith(first((_received, res) => res.destroy()));
    const target = sender();
    fill(target, 5);
    await target.flush();
    expect(target.stats()).toMatchObject({ sent: 5, retries: 1 });
  });

  it('answering 413 gets halves under keys of their own, and only the record that is too large is lost', async () => {
    const errors: SenderError[] = [];
    answerWith((received, res) => {
      const tooLarge = received.records.length > 3 || received.records.some(({ path }) => path === '/things/6');
      (tooLarge ? fails(413) : store)(received, res);
    });
    const target = sender({ onError: (error) => errors.push(error) });
    fill(target, 10);
    await target.flush();
    expect(paths().sort()).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9].map((id) => `/things/${id}`));
    expect(new Set(requests.map(({ key }) => key)).size).toBe(requests.length);
    expect(requests.every(({ key }) => key.startsWith(requests[0]!.key))).toBe(true);
    expect(target.stats()).toMatchObject({ sent: 9, dropped: { rejected: 1 }, pending: 0 });
    expect(errors).toMatchObject([{ records: 1, status: 413 }]);
  });

  it.each([400, 404, 302])('answering %i is not asked again', async (status) => {
    answerWith(fails(status, { location: '/elsewhere' }));
    const errors: SenderError[] = [];
    const target = sender({ onError: (error) => errors.push(error) });
    fill(target, 5);
    await target.flush();
    expect(requests).toHaveLength(1);
    expect(target.stats()).toMatchObject({ sent: 0, dropped: { rejected: 5 }, pending: 0, retries: 0 });
    expect(errors).toMatchObject([{ records: 5, status }]);
  });

  it.each([401, 403])('answering %i is reported once, not for every batch', async (status) => {
    answerWith(fails(status));
    const errors: SenderError[] = [];
    const target = sender({ batchRecords: 2, onError: (error) => errors.push(error) });
    fill(target, 10);
    await target.flush();
    expect(requests).toHaveLength(5);
    expect(errors).toHaveLength(1);
    expect(target.stats().dropped.rejected).toBe(10);
  });

  it('rejecting some records has them counted', async () => {
    const body = { accepted: 3, rejected: 2, errors: [{ index: 1, field: 'status', message: 'is required' }] };
    answerWith((_received, res) => reply(res, 202, body));
    const errors: SenderError[] = [];
    const target = sender({ onError: (error) => errors.push(error) });
    fill(target, 5);
    await target.flush();
    expect(target.stats()).toMatchObject({ sent: 3, dropped: { rejected: 2 }, pending: 0 });
    expect(errors[0]!.message).toBe('record 1: status is required');
  });

  it('that is away for too long loses the batch, counted', async () => {
    answerWith(fails(503));
    const target = sender({ retryForMs: 100 });
    fill(target, 5);
    await untilPasses(() => expect(target.stats()).toMatchObject({ dropped: { failed: 0 }, pending: 5 }));
    await target.flush();
    expect(target.stats()).toMatchObject({ sent: 0, dropped: { failed: 5 }, pending: 0 });
  });
});

describe('bounds', () => {
  it('drop the new record when too many are held, and count it', async () => {
    const errors: SenderError[] = [];
    const held: ServerResponse[] = [];
    answerWith((_received, res) => void held.push(res));
    const target = sender({ maxRecords: 100, flushRecords: 50, onError: (error) => errors.push(error) });
    fill(target, 250);
    expect(target.stats()).toMatchObject({ recorded: 250, dropped: { overflow: 150 }, pending: 100 });
    expect(errors).toHaveLength(1);
    await untilPasses(() => expect(held).toHaveLength(2));
    answerWith(store);
    for (const res of held) reply(res, 202, { accepted: 50, rejected: 0 });
    await target.flush();
    fill(target, 10, 1_000);
    await target.flush();
    expect(paths()).toEqual(Array.from({ length: 10 }, (_, id) => `/things/${1_000 + id}`));
    expect(target.stats()).toMatchObject({ sent: 110, dropped: { overflow: 150 }, pending: 0 });
    expectBalanced(target);
  });

  it('hold for bytes as well as for records', () => {
    const target = sender({ maxBytes: 100_000, flushIntervalMs: 60_000 });
    for (let id = 0; id < 100; id++) target.record({ ...record(id), path: `/${'x'.repeat(2_000)}` });
    const { pending, dropped } = target.stats();
    expect(pending).toBeGreaterThan(40);
    expect(pending).toBeLessThan(50);
    expect(dropped.overflow).toBe(100 - pending);
  });

  it('keep what is no record and what cannot be written away from the others', async () => {
    const target = sender();
    const loop: Record<string, unknown> = { key_id: 'key-1', status: 200 };
    loop.rate_limit = loop;
    target.record(null as unknown as RecordInput);
    target.record(loop as RecordInput);
    target.record({ key_id: 'key-1', status: 200n as unknown as number });
    target.record({ key: 7 as unknown as string, status: 200 });
    fill(target, 2);
    await target.flush();
    expect(paths()).toEqual(['/things/0', '/things/1']);
    expect(target.stats()).toMatchObject({ sent: 2, dropped: { rejected: 4 }, pending: 0 });
  });

  it('refuse wrong options at the start', () => {
    expect(() => createSender({ url: 'nowhere', token: 't' })).toThrow('url must be an address');
    expect(() => createSender({ url: 'ftp://host', token: 't' })).toThrow('http://');
    expect(() => createSender({ url, token: '' })).toThrow('token is required');
    expect(() => createSender({ url, token: 't', maxRecords: 0 })).toThrow('maxRecords must be a positive number');
  });
});

describe('the end', () => {
  it('sends what is held at close and takes nothing afterwards', async () => {
    const target = sender({ flushIntervalMs: 60_000 });
    fill(target, 42);
    await target.close();
    expect(target.stats()).toMatchObject({ sent: 42, pending: 0 });
    target.record(record(43));
    await target.close();
    expect(target.stats()).toMatchObject({ recorded: 43, sent: 42, dropped: { closed: 1 } });
  });

  it('waits for an unreachable receiver no longer than told, and counts what was lost', async () => {
    const target = sender({ url: 'http://127.0.0.1:1', drainTimeoutMs: 200, flushRecords: 5, batchRecords: 5 });
    fill(target, 50);
    await target.close();
    expect(target.stats()).toMatchObject({ sent: 0, dropped: { failed: 50 }, pending: 0 });
    expectBalanced(target);
  });

  it('gives up a receiver that hangs', async () => {
    answerWith(() => undefined);
    const target = sender({ drainTimeoutMs: 200 });
    fill(target, 5);
    await target.close();
    expect(target.stats()).toMatchObject({ sent: 0, dropped: { failed: 5 }, pending: 0 });
  });
});

describe('the end of the process', () => {
  let child: ChildProcess | undefined;

  afterEach(() => void child?.kill('SIGKILL'));

  /** Runs a program that records and has nothing more to do; returns how long it lived and what it printed. */
  async function run(target: string, more = ''): Promise<{ code: number | null; output: string }> {
    const source = `
      import { createSender } from ${JSON.stringify(pathToFileURL(builtModule('ingest/sender.ts')).href)};
      const sender = createSender({ url: ${JSON.stringify(target)}, token: 't', drainTimeoutMs: 400, retryBaseMs: 20${more} });
      for (let id = 0; id < 7; id++) sender.record({ key_id: 'k', status: 200, path: '/things/' + id });
      process.on('exit', () => console.log(JSON.stringify(sender.stats())));`;
    const program = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = program;
    let output = '';
    program.stdout.on('data', (chunk: Buffer) => (output += chunk));
    const code = await new Promise<number | null>((resolve) => program.once('close', resolve));
    return { code, output };
  }

  it('sends what is held', async () => {
    const { code, output } = await run(url);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ sent: 7, pending: 0 });
    expect(paths()).toHaveLength(7);
  });

  it('is not held up by an unreachable receiver', async () => {
    const { code, output } = await run('http://127.0.0.1:1');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ sent: 0 });
  });

  it('is not held up by a receiver that takes the connection and never answers', async () => {
    const silent = createServer(() => {});
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, '127.0.0.1', () => resolve((silent.address() as AddressInfo).port));
    });
    const { code, output } = await run(`http://127.0.0.1:${port}`, ', timeoutMs: 600_000');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ sent: 0, pending: 7 });
    silent.close();
  });
});
