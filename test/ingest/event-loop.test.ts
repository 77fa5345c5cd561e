import { describe, expect, it } from 'vitest';
import { nextTurn, turnToBegin } from '../../ingest/event-loop.ts';

/** Numbers of the turns in which pieces of work that came together went on. */
async function turnsOf(pieces: number): Promise<number[]> {
  let turn = 0;
  let isOver = false;
  const count = () => {
    turn++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const turns: number[] = [];
  await Promise.all(
    Array.from({ length: pieces }, async () => {
      await turnToBegin();
      turns.push(turn);
    }),
  );
  isOver = true;
  return turns;
}

describe('turns of the event loop', () => {
  it('pieces that wait together go on one a turn, in their order', async () => {
    const turns = await turnsOf(20);
    expect(new Set(turns).size).toBe(20);
    expect(turns).toEqual([...turns].sort((a, b) => a - b));
  });

  it('a timer that is due is not behind all of them', async () => {
    let done = 0;
    let doneAtTimer = -1;
    setTimeout(() => (doneAtTimer = done), 1);
    const piece = async () => {
      await nextTurn();
      for (const until = performance.now() + 2; performance.now() < until; );
      done++;
    };
    await Promise.all(Array.from({ length: 20 }, piece));
    expect(doneAtTimer).toBeGreaterThanOrEqual(0);
    expect(doneAtTimer).toBeLessThan(20);
  });

  it('work that was begun ends before other work begins', async () => {
    const steps: string[] = [];
    const work = async (name: string) => {
      await turnToBegin();
      for (let step = 1; step <= 3; step++) {
        steps.push(`${name}${step}`);
        await nextTurn();
      }
    };
    await Promise.all([work('a'), work('b'), work('c')]);
    expect(steps.join(' ')).toBe('a1 a2 a3 b1 b2 b3 c1 c2 c3');
  });

  it('new work begins although other work goes on and on', async () => {
    let pieces = 0;
    let isOver = false;
    const endless = async () => {
      while (!isOver) {
        await nextTurn();
        pieces++;
      }
    };
    const ends = [endless(), endless()];
    await turnToBegin();
    isOver = true;
    await Promise.all(ends);
    expect(pieces).toBeLessThan(30);
  });

  it('works that go on take turns', async () => {
    const steps: string[] = [];
    const work = async (name: string) => {
      for (let step = 1; step <= 3; step++) {
        await nextTurn();
        steps.push(`${name}${step}`);
      }
    };
    await Promise.all([work('a'), work('b')]);
    expect(steps.join(' ')).toBe('a1 b1 a2 b2 a3 b3');
  });
});
