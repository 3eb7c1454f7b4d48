/**
 * Where a simulated run takes its decisions from: a seed for long runs, or a list of numbers that
 * fast-check can shrink. Zero is the simplest choice everywhere.
 */
import { seededRandom } from '../../src/base/random.ts';

/** An integer from 0 to `below` - 1. */
export type Choices = (below: number) => number;

export function seededChoices(seed: number): Choices {
  const random = seededRandom(seed);
  return (below) => Math.floor(random.next() * below);
}

/** Draws from a list; 0 once that is used up. */
export function choicesFrom(tape: readonly number[]): Choices {
  let at = 0;
  return (below) => (tape[at++] ?? 0) % below;
}

export function pick<T>(choose: Choices, from: readonly T[]): T {
  return from[choose(from.length)] as T;
}

/** A seed made of others; the same ones give the same. */
export function mixSeeds(...parts: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
