/**
 * Damage at rest, as functions: each takes the files of a disk and gives them back with something
 * wrong, as rot, a misdirected write or a careless operator leaves them. For SimDisk.damaged(), or
 * for real files read into a map. What is given is never changed. Damage that names a place which
 * is not there, or that would change nothing, is refused, so that no test proves less than it says.
 */
import { badRequest } from '../base/errors.ts';
import { type Random, seededRandom } from '../base/random.ts';
import type { Files } from './sim-image.ts';

/**
 * Files by path, to the same with something wrong.
 * @throws {StoreError} BAD_REQUEST - a path is not among the files, or a range not within its file.
 */
export type Damage = (files: Files) => Map<string, Uint8Array>;

/** Some bytes of a file. */
export interface ByteRange {
  /** Byte offset of the first. */
  readonly from: number;
  /** Bytes, at least 1. */
  readonly length: number;
}

/** Some bytes of a file, and of which. */
export interface FileRange extends ByteRange {
  readonly path: string;
}

/** Turns over the bits of one byte that are set in `mask` (1 to 255, default 1); `at` is its byte offset. */
export function flip(path: string, at: number, mask: number = 1): Damage {
  if (!Number.isInteger(mask) || mask < 1 || mask > 255)
    throw badRequest(`mask must be from 1 to 255, not ${mask}`, 'mask');
  return changing((files) => {
    const range = rangeIn(files, path, { from: at, length: 1 }, 'at');
    range[0] = (range[0] as number) ^ mask;
  });
}

/** Makes zeros of a range, as a lost write or a trimmed block does. */
export function zero(path: string, range: ByteRange): Damage {
  return changing((files) => void rangeIn(files, path, range).fill(0));
}

/** Makes other bytes of a range, each of them different from what it was; the same seed makes the same. */
export function garbage(path: string, range: ByteRange, seed: number = 1): Damage {
  return changing((files) => {
    const random = seededRandom(seed);
    const bytes = rangeIn(files, path, range);
    for (const [i, byte] of bytes.entries())
      bytes[i] = byte ^ (1 + Math.floor(random.next() * 255));
  });
}

/** Shortens a file to `length` bytes, which must be less than it has. */
export function cut(path: string, length: number): Damage {
  return changing((files) => {
    const bytes = bytesOf(files, path);
    if (!isCount(length, 0) || length >= bytes.length)
      throw badRequest(
        `'${path}' has ${bytes.length} bytes, and cannot be cut to ${length}`,
        'length',
      );
    files.set(path, bytes.slice(0, length));
  });
}

/** Adds so many bytes behind the end of a file, all of them `fill` (0 to 255, default 0). */
export function grow(path: string, byBytes: number, fill: number = 0): Damage {
  if (!isCount(byBytes, 1)) throw badRequest(`a file cannot grow by ${byBytes} bytes`, 'byBytes');
  return changing((files) => {
    const bytes = bytesOf(files, path);
    const grown = new Uint8Array(bytes.length + byBytes).fill(fill, bytes.length);
    grown.set(bytes);
    files.set(path, grown);
  });
}

/** Gives each of two files the content of the other. */
export function swap(one: string, two: string): Damage {
  if (one === two) throw badRequest(`'${one}' cannot be swapped with itself`, 'two');
  return changing((files) => {
    const [first, second] = [bytesOf(files, one), bytesOf(files, two)];
    files.set(one, second).set(two, first);
  });
}

/** Puts a copy of a file at another path, over what may be there. */
export function duplicate(path: string, as: string): Damage {
  if (path === as) throw badRequest(`'${path}' cannot be a copy of itself`, 'as');
  return changing((files) => void files.set(as, bytesOf(files, path).slice()));
}

/** Takes a file away. */
export function remove(path: string): Damage {
  return changing((files) => {
    bytesOf(files, path);
    files.delete(path);
  });
}

/** Copies a range over another place, in the same file or another, as a write to the wrong address does. */
export function misdirect(
  source: FileRange,
  target: { readonly path: string; readonly from: number },
): Damage {
  return changing((files) => {
    const bytes = rangeIn(files, source.path, source, 'source').slice();
    rangeIn(files, target.path, { from: target.from, length: bytes.length }, 'target').set(bytes);
  });
}

/** Turns over `count` bits, all different, anywhere in the files; each time it is applied, others. */
export function rot(random: Random, count: number): Damage {
  if (!isCount(count, 1)) throw badRequest(`cannot turn over ${count} bits`, 'count');
  return changing((files) => {
    const inOrder = [...files.keys()].sort().map((path) => bytesOf(files, path));
    const totalBits = inOrder.reduce((sum, bytes) => sum + bytes.length * 8, 0);
    if (count > totalBits) throw badRequest(`there are ${totalBits} bits, not ${count}`, 'count');
    const chosen = new Set<number>();
    // The last ones of a nearly full choice are searched for, not guessed.
    while (chosen.size < count) {
      let bit = Math.floor(random.next() * totalBits);
      while (chosen.has(bit)) bit = (bit + 1) % totalBits;
      chosen.add(bit);
      flipBit(inOrder, bit);
    }
  });
}

/** One damage after the other. */
export function both(...damages: readonly Damage[]): Damage {
  return (files) => damages.reduce((damaged, damage) => damage(damaged), copyOf(files));
}

function changing(change: (files: Map<string, Uint8Array>) => void): Damage {
  return (files) => {
    const copy = copyOf(files);
    change(copy);
    return copy;
  };
}

function copyOf(files: Files): Map<string, Uint8Array> {
  return new Map([...files].map(([path, bytes]) => [path, bytes.slice()]));
}

function bytesOf(files: Files, path: string): Uint8Array {
  const bytes = files.get(path);
  if (bytes === undefined) throw badRequest(`there is no file '${path}' to damage`, 'path');
  return bytes;
}

/** The bytes themselves, to be changed in place. */
function rangeIn(
  files: Files,
  path: string,
  { from, length }: ByteRange,
  argument: string = 'range',
): Uint8Array {
  const bytes = bytesOf(files, path);
  if (!isCount(from, 0) || !isCount(length, 1) || from + length > bytes.length)
    throw badRequest(
      `'${path}' has ${bytes.length} bytes: there are no ${length} from ${from} on`,
      argument,
    );
  return bytes.subarray(from, from + length);
}

function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

/** Files in a row as one long sequence of bits. */
function flipBit(files: readonly Uint8Array[], bit: number): void {
  let rest = bit;
  for (const bytes of files) {
    if (rest < bytes.length * 8) {
      bytes[rest >> 3] = (bytes[rest >> 3] as number) ^ (1 << (rest & 7));
      return;
    }
    rest -= bytes.length * 8;
  }
}
