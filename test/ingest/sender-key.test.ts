import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { halfSipHash, KeyDigests } from '../../ingest/sender-key.ts';
import { builtModule } from '../support/built-module.ts';
import { testFolder } from '../support/temp-folder.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('remembered digests', () => {
  it('are those of the key, for far more keys than are remembered', () => {
    const digests = new KeyDigests();
    const keys = Array.from({ length: 12_000 }, (_, n) => `sk_live_${n.toString(36)}`);
    for (const key of keys) expect(digests.of(key)).toBe(sha256(key));
    for (const key of keys.slice(-100).concat(keys.slice(0, 100))) expect(digests.of(key)).toBe(sha256(key));
  });

  it('tell keys apart that differ in one character or in their length', () => {
    const digests = new KeyDigests();
    const key = 'sk_live_0123456789';
    const alike = [key, `${key}\u0000`, key.slice(0, -1), '', '\u0000', '\u0000\u0000'];
    for (let at = 0; at < key.length; at++) alike.push(`${key.slice(0, at)}~${key.slice(at + 1)}`);
    for (let time = 0; time < 2; time++) for (const one of alike) expect(digests.of(one)).toBe(sha256(one));
  });
});

describe('a sender that has records waiting', () => {
  const RECORDED = 'sender.record({ key: keyOf(id), status: 200 });';
  const ENDED = `
        const url = '/users?page=2&api_key=' + keyOf(id);
        const res = new ServerResponse({ method: 'GET' });
        sender({ headers: { 'x-api-key': keyOf(id) }, socket: {}, method: 'GET', url }, res, () => undefined);
        res.emit('close');`;
  /** As a server of Node has it, which tells of the end itself. */
  const ANSWERED = `
        const url = '/users?page=2&api_key=' + keyOf(id);
        const socket = Object.assign(new Socket(), { server });
        const req = { headers: { 'x-api-key': keyOf(id) }, socket, method: 'GET', url };
        const res = new ServerResponse(req);
        sender(req, res, () => undefined);
        channel('http.server.response.finish').publish({ request: req, response: res, socket });`;

  it.each([
    ['recorded', RECORDED],
    ['requests that have ended', ENDED],
    ["requests of a server's connections, which stay", ANSWERED],
  ])('holds no raw key anywhere in its heap: %s', (_, take) => {
    const snapshot = join(testFolder(), 'heap.json');
    const source = `
      import { writeHeapSnapshot } from 'node:v8';
      import { channel } from 'node:diagnostics_channel';
      import { createServer, ServerResponse } from 'node:http';
      import { Socket } from 'node:net';
      import { keytally } from ${JSON.stringify(pathToFileURL(builtModule('ingest/sender.ts')).href)};
      const sender = keytally({ url: 'http://127.0.0.1:1', token: 't', flushIntervalMs: 600_000 });
      const server = createServer();
      const keyOf = (id) => ['raw', 'key', id].join('-');
      for (let time = 0; time < 2; time++) for (let id = 0; id < 200; id++) {${take}}
      sender.record({ key_id: 'the-last', status: 200 });
      globalThis.kept = ['kept', 'key', 1].join('-');
      setImmediate(() => {
        writeHeapSnapshot(${JSON.stringify(snapshot)});
        process.stdout.write(String(sender.stats().pending), () => process.exit());
      });`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
    expect(output).toBe('401');
    const heap = readFileSync(snapshot, 'utf8');
    // What is kept would be seen.
    expect(heap).toContain('"kept-key-1"');
    expect(heap.match(/"raw-key-\d+"/g)).toBeNull();
  });
});

describe('the fingerprint', () => {
  it('depends on every character, the length and the secret', () => {
    const prints = new Set<string>();
    const texts = Array.from({ length: 3_000 }, (_, n) => String.fromCharCode(97 + (n % 3)).repeat(1 + (n % 1_000)));
    for (const text of texts) prints.add(halfSipHash(text, 1, 2).join());
    for (let n = 0; n < 2_000; n++) prints.add(halfSipHash('same', n, -n).join());
    expect(prints.size).toBe(3_000 + 2_000);
  });
});
