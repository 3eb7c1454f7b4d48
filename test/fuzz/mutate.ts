/**
 * Damage for the fuzz tests: what may be done to bytes that were valid, one small step or several.
 * Every choice comes from the generator that is passed in, so a seed gives the same input again.
 */

/** An integer from 0 to `below` - 1. */
export type Choose = (below: number) => number;

/** Changes one input into another; `other` is one that is valid too. May return what it was given. */
export type Mutation = (choose: Choose, input: Uint8Array, other: Uint8Array) => Uint8Array;

const WIDTHS = [1, 2, 4, 8] as const;
/** Where counts, lengths and signs change their minds. */
const INTERESTING: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  8n,
  15n,
  16n,
  31n,
  32n,
  63n,
  64n,
  100n,
  127n,
  128n,
  255n,
  256n,
  1023n,
  1024n,
  4095n,
  4096n,
  32_767n,
  32_768n,
  65_535n,
  65_536n,
  2n ** 24n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 8n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const STEPS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  addToByte,
  setInteger,
  setInteger,
  addToInteger,
  copyBlock,
  insertBlock,
  insertBytes,
  repeatBlock,
  deleteBlock,
  deleteBlock,
  fillBlock,
  truncate,
  splice,
];

/** One to eight steps, few of them more often than many. */
export const mutateBytes: Mutation = (choose, input, other) => {
  let bytes: Uint8Array = input.slice();
  let steps = 1;
  while (steps < 8 && choose(2) === 0) steps++;
  for (; steps > 0; steps--) bytes = one(choose, STEPS)(choose, bytes, other);
  return bytes;
};

/** As {@link mutateBytes}, and every third time a word of the language in question comes in. */
export function withWords(words: readonly string[]): Mutation {
  const encoded = words.map((word) => Buffer.from(word));
  return (choose, input, other) => {
    const bytes = choose(4) === 0 ? input : mutateBytes(choose, input, other);
    if (choose(3) > 0) return bytes;
    const at = choose(bytes.length + 1);
    const replaced = choose(2) === 0 ? 0 : choose(6);
    return joined(bytes.subarray(0, at), one(choose, encoded), bytes.subarray(at + replaced));
  };
}

export function one<T>(choose: Choose, list: readonly T[]): T {
  return list[choose(list.length)] as T;
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A place, rather one that holds something: files are mostly zeros. */
function place(choose: Choose, bytes: Uint8Array): number {
  let at = choose(bytes.length);
  for (let tries = 0; tries < 6 && bytes[at] === 0; tries++) at = choose(bytes.length);
  return at;
}

/** Short blocks more often than long ones. */
function blockLength(choose: Choose, most: number): number {
  const limit = one(choose, [4, 16, 64, 512, most]);
  return 1 + choose(Math.max(1, Math.min(limit, most)));
}

function flipBit(choose: Choose, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = place(choose, bytes);
  bytes[at] = (bytes[at] as number) ^ (1 << choose(8));
  return bytes;
}

function setByte(choose: Choose, bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0) bytes[place(choose, bytes)] = choose(256);
  return bytes;
}

function addToByte(choose: Choose, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = place(choose, bytes);
  bytes[at] = (bytes[at] as number) + choose(33) - 16;
  return bytes;
}

function setInteger(choose: Choose, bytes: Uint8Array): Uint8Array {
  const width = one(choose, WIDTHS);
  if (bytes.length < width) return bytes;
  const at = Math.min(place(choose, bytes), bytes.length - width);
  writeInteger(bytes, at, width, choose(2) === 0, one(choose, INTERESTING));
  return bytes;
}

function addToInteger(choose: Choose, bytes: Uint8Array): Uint8Array {
  const width = one(choose, WIDTHS);
  if (bytes.length < width) return bytes;
  const at = Math.min(place(choose, bytes), bytes.length - width);
  const isLittle = choose(2) === 0;
  let value = 0n;
  for (let i = 0; i < width; i++) {
    const index = isLittle ? at + width - 1 - i : at + i;
    value = value * 256n + BigInt(bytes[index] as number);
  }
  writeInteger(bytes, at, width, isLittle, value + BigInt(choose(33) - 16));
  return bytes;
}

function writeInteger(
  bytes: Uint8Array,
  at: number,
  width: number,
  isLittle: boolean,
  value: bigint,
): void {
  let rest = BigInt.asUintN(64, value);
  for (let i = 0; i < width; i++) {
    bytes[isLittle ? at + i : at + width - 1 - i] = Number(rest & 255n);
    rest >>= 8n;
  }
}

function copyBlock(choose: Choose, bytes: Uint8Array): Uint8Array {
  if (bytes.length < 2) return bytes;
  const length = blockLength(choose, bytes.length - 1);
  const from = Math.min(place(choose, bytes), bytes.length - length);
  bytes.copyWithin(choose(bytes.length - length + 1), from, from + length);
  return bytes;
}

function insertBlock(choose: Choose, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const source = choose(2) === 0 ? bytes : other;
  if (source.length === 0) return bytes;
  const length = blockLength(choose, source.length);
  const from = choose(source.length - length + 1);
  const at = choose(bytes.length + 1);
  return joined(bytes.subarray(0, at), source.subarray(from, from + length), bytes.subarray(at));
}

function insertBytes(choose: Choose, bytes: Uint8Array): Uint8Array {
  const inserted = Uint8Array.from({ length: blockLength(choose, 16) }, () => choose(256));
  const at = choose(bytes.length + 1);
  return joined(bytes.subarray(0, at), inserted, bytes.subarray(at));
}

function repeatBlock(choose: Choose, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  const length = blockLength(choose, Math.min(64, bytes.length));
  const from = choose(bytes.length - length + 1);
  const block = bytes.subarray(from, from + length);
  const times = 1 + choose(one(choose, [4, 40, 200]));
  const repeats = Array.from({ length: times }, () => block);
  return joined(bytes.subarray(0, from), ...repeats, bytes.subarray(from));
}

function deleteBlock(choose: Choose, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  const length = blockLength(choose, bytes.length);
  const from = choose(bytes.length - length + 1);
  return joined(bytes.subarray(0, from), bytes.subarray(from + length));
}

function fillBlock(choose: Choose, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  const length = blockLength(choose, bytes.length);
  const from = choose(bytes.length - length + 1);
  return bytes.fill(one(choose, [0, 0, 255, choose(256)]), from, from + length);
}

function truncate(choose: Choose, bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, choose(bytes.length + 1));
}

function splice(choose: Choose, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = choose(bytes.length + 1);
  const from = choose(2) === 0 ? Math.min(at, other.length) : choose(other.length + 1);
  return joined(bytes.subarray(0, at), other.subarray(from));
}
