/**
 * Tells crash states with the same bytes apart from new ones without making them: a state is what
 * its effects left, in the order of the journal, so the same effects with the same survivals leave
 * the same disk, whether a sync made them sure or a disk kept them by chance. States with
 * different keys may still have the same bytes; those with the same key have.
 */
import type { CrashWalk } from '../../src/testing/crash-walk.ts';
import { type Entry, isEffect } from '../../src/testing/sim-journal.ts';

const WHOLE = 0x77;
const NONE = 0x6e;

/** Two halves of 26 bits, summed up apart, so that order does not count and sums stay exact. */
function mixed(index: number, code: number): [number, number] {
  let a = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(code + 0x51, 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  const b = Math.imul(a ^ (a >>> 12) ^ code, 0x297a2d39) ^ Math.imul(index + 7, 0xc2b2ae35);
  return [(a ^ (a >>> 16)) >>> 6, (b ^ (b >>> 15)) >>> 6];
}

export class StateKeys {
  private readonly journal: readonly Entry[];
  private length = 0;
  private high = 0;
  private low = 0;
  private undecided: readonly number[] = [];

  constructor(journal: readonly Entry[]) {
    this.journal = journal;
  }

  /** Goes on to where the walk stands. */
  advance(walk: CrashWalk): void {
    for (; this.length < walk.length; this.length++) {
      const entry = this.journal[this.length];
      if (entry !== undefined && isEffect(entry)) this.add(this.length, WHOLE);
    }
    this.undecided = walk.undecided;
  }

  /** Of the state with this name, where the walk stands. */
  keyOf(choice: string): number {
    const { high, low } = this;
    if (choice.startsWith('kill')) {
      if (choice.length > 4) this.replace(this.length - 1, hash(choice, 4, choice.length));
    } else {
      let from = 4;
      for (const index of this.undecided) {
        let to = choice.indexOf('.', from);
        if (to < 0) to = choice.length;
        const code = to - from === 1 ? choice.charCodeAt(from) : hash(choice, from, to);
        if (code !== WHOLE) this.replace(index, code);
        from = to + 1;
      }
    }
    const key = (this.high % 2 ** 26) * 2 ** 26 + (this.low % 2 ** 26);
    this.high = high;
    this.low = low;
    return key;
  }

  private replace(index: number, code: number): void {
    const [high, low] = mixed(index, WHOLE);
    this.high += 2 ** 26 - high;
    this.low += 2 ** 26 - low;
    if (code !== NONE) this.add(index, code);
  }

  private add(index: number, code: number): void {
    const [high, low] = mixed(index, code);
    this.high += high;
    this.low += low;
  }
}

function hash(text: string, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}
