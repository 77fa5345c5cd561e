import { describe, expect, it } from 'vitest';
import { halves, LineBuffer, type Lines } from '../../ingest/sender-buffer.ts';

const line = (id: number) => `{"path":"/ä/${'x'.repeat(id % 50)}${id}"}\n`;

function takeAll(buffer: LineBuffer): Lines[] {
  const taken: Lines[] = [];
  for (let lines = buffer.take(); lines !== undefined; lines = buffer.take()) taken.push(lines);
  return taken;
}

describe('waiting lines', () => {
  it.each([1, 7, 300, 5_000])('come out as they went in, in bodies of at most %i', (most) => {
    const buffer = new LineBuffer(most);
    const lines = Array.from({ length: 5_000 }, (_, id) => line(id));
    for (const one of lines) buffer.add(one);
    // Of the last lines, which are written together with those to come, it counts the characters.
    const last = (5_000 % most) % 32;
    const bytes = Buffer.byteLength(lines.join('')) - last;
    expect([buffer.records, buffer.bytes, buffer.bodies]).toEqual([5_000, bytes, Math.ceil(5_000 / most)]);
    const taken = takeAll(buffer);
    expect(Buffer.concat(taken.map(({ body }) => body)).toString()).toBe(lines.join(''));
    for (const { body, records } of taken) expect(body.toString().split('\n')).toHaveLength(records + 1);
    expect(Math.max(...taken.map(({ records }) => records))).toBe(most);
    expect([buffer.records, buffer.bytes, buffer.bodies]).toEqual([0, 0, 0]);
  });

  it('are not touched by lines that are added after they were taken', () => {
    const buffer = new LineBuffer(100);
    buffer.add(line(1));
    const { body } = buffer.take()!;
    for (let id = 0; id < 90; id++) buffer.add(line(id));
    expect(body.toString()).toBe(line(1));
  });

  it('are the same in memory that was used before', () => {
    const buffer = new LineBuffer(50);
    for (let round = 0; round < 5; round++) {
      const lines = Array.from({ length: 20 + round * 7 }, (_, id) => line(id * round));
      for (const one of lines) buffer.add(one);
      const whole = buffer.take()!;
      expect(whole.body.toString()).toBe(lines.join(''));
      buffer.giveBack(whole);
    }
  });

  it('are sealed before a body is longer than a receiver takes', () => {
    const buffer = new LineBuffer(1_000_000);
    const long = `${'y'.repeat(100_000)}\n`;
    for (let id = 0; id < 200; id++) buffer.add(long);
    const taken = takeAll(buffer);
    expect(taken.length).toBeGreaterThan(3);
    for (const { body } of taken) expect(body.length).toBeLessThan(5 * 2 ** 20);
    expect(taken.reduce((sum, { records }) => sum + records, 0)).toBe(200);
  });

  it.each([2, 3, 10, 11])('can be halved: %i', (count) => {
    const buffer = new LineBuffer(100);
    for (let id = 0; id < count; id++) buffer.add(line(id));
    const whole = buffer.take()!;
    const [first, second] = halves(whole);
    expect([first.records, second.records]).toEqual([count >> 1, count - (count >> 1)]);
    expect(first.body.toString().split('\n')).toHaveLength(first.records + 1);
    expect(Buffer.concat([first.body, second.body])).toEqual(whole.body);
  });
});
