import type { Span } from '../time/range.ts';

/** An answer remembers what it was asked for: the one before it may come later, or not at all. */
export interface Asked {
  asked: Span;
}

/** A refresh moves the end of a range a little; another range begins elsewhere or has another length. */
const SAME_LENGTH = 0.01;

/** The answer of the period before, if it is the one that ends where the present one begins; else null. */
export function answerBefore<Before extends Asked>(present: Asked | null, before: Before | null): Before | null {
  if (!present || !before || before.asked.to !== present.asked.from) return null;
  const [length, lengthBefore] = [present, before].map(({ asked }) => asked.to - asked.from) as [number, number];
  return Math.abs(length - lengthBefore) <= length * SAME_LENGTH ? before : null;
}
