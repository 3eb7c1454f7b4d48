/** Sets of slots as bits: bit i % 32 of word i >> 5. */

export function setBit(words: Uint32Array, i: number): void {
  words[i >>> 5] = (words[i >>> 5] ?? 0) | (1 << (i & 31));
}

export function clearBit(words: Uint32Array, i: number): void {
  words[i >>> 5] = (words[i >>> 5] ?? 0) & ~(1 << (i & 31));
}

export function hasBit(words: Uint32Array, i: number): boolean {
  return (((words[i >>> 5] ?? 0) >>> (i & 31)) & 1) === 1;
}

/** Writes a & b to `target`, word by word, missing words being 0; returns how many bits are set. */
export function intersect(a: Uint32Array, b: Uint32Array, target: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < target.length; i++) {
    const word = (a[i] ?? 0) & (b[i] ?? 0);
    target[i] = word;
    count += bitsOf(word);
  }
  return count;
}

/** Bits set in a word (Warren, Hacker's Delight, 5-1). */
function bitsOf(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
