/**
 * What the records of a simulated log hold, and which there may be. The bytes of a record follow
 * from the seed, from its offset and from the life (the time between two crashes) it was written
 * in, so a record that was lost and comes back in a later life is told from the one that took its place.
 */
import { seededRandom } from '../../src/base/random.ts';
import { RecordCursor } from '../../wal/payload.ts';

const PATTERN_BYTES = 1 << 16;
const PATTERN: Buffer = Buffer.from(seededRandom(0x70617774).bytes(PATTERN_BYTES * 2));

function hash(seed: number, life: number, offset: number): number {
  let h = Math.imul(seed ^ 0x9e3779b1, 0x85ebca6b) ^ Math.imul(offset, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15) ^ (life << 24), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

/** Lengths of records, both included. */
export interface Sizes {
  readonly least: number;
  readonly most: number;
}

/** One line of time: the records that may be found, each with the life it was written in. */
export class History {
  readonly seed: number;
  readonly sizes: Sizes;
  /** By offset, from 1: life * 2, plus 1 when a commit ends with it. */
  private readonly stamps: number[];

  constructor(seed: number, sizes: Sizes, stamps: number[] = [0]) {
    this.seed = seed;
    this.sizes = sizes;
    this.stamps = stamps;
  }

  get lastOffset(): number {
    return this.stamps.length - 1;
  }

  /** The same up to `offset`, to go on from there. */
  upTo(offset: number): History {
    return new History(this.seed, this.sizes, this.stamps.slice(0, offset + 1));
  }

  /** A record is about to be handed to the log. */
  add(offset: number, life: number, isLast: boolean): void {
    this.stamps.length = offset;
    this.stamps[offset] = life * 2 + (isLast ? 1 : 0);
  }

  /** Its bytes are PATTERN[start, end). */
  private place(offset: number, life: number): { start: number; end: number } {
    const h = hash(this.seed, life, offset);
    const { least, most } = this.sizes;
    const start = h % PATTERN_BYTES;
    return { start, end: start + least + ((h >>> 7) % (most - least + 1)) };
  }

  bytesOf(offset: number, life: number): Uint8Array {
    const { start, end } = this.place(offset, life);
    return PATTERN.subarray(start, end);
  }

  /** Throws unless this is the record with that offset. */
  check(offset: number, bytes: Buffer, from: number, to: number, isLast: boolean): void {
    const stamp = this.stamps[offset];
    if (stamp === undefined || offset === 0) throw new Error(`record ${offset} was never written`);
    const { start, end } = this.place(offset, stamp >> 1);
    if (end - start !== to - from || bytes.compare(PATTERN, start, end, from, to) !== 0)
      throw new Error(`record ${offset} is not the one that was written`);
    if (isLast !== ((stamp & 1) === 1))
      throw new Error(`record ${offset} ${isLast ? 'ends' : 'does not end'} a commit`);
  }
}

/** Longest bytes of the layer above in the manifest that are tried: several sectors of them. */
const MOST_EXTRA = 3000;

/** The bytes of the layer above as they are written for the n-th time: n, and what follows from it. */
export function extraOf(seed: number, n: number): Uint8Array {
  const bytes = new Uint8Array(4 + (hash(seed, 0, n) % MOST_EXTRA));
  const start = hash(seed, 1, n) % PATTERN_BYTES;
  bytes.set(PATTERN.subarray(start, start + bytes.length));
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

/** Which of them these are; 0: none was ever written. Throws when they are none of them. */
export function extraNumber(seed: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  const n = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (Buffer.compare(extraOf(seed, n), bytes) !== 0)
    throw new Error('the bytes of the layer above are none that were written');
  return n;
}

/** Takes the frames of a log that is read, and holds them against a history. */
export class Replay {
  /** First and last record found; 0 while there was none. */
  first = 0;
  last = 0;
  private readonly history: History;
  private readonly cursor = new RecordCursor();

  constructor(history: History) {
    this.history = history;
  }

  readonly onFrame = (
    bytes: Uint8Array,
    start: number,
    end: number,
    firstOffset: number,
    count: number,
  ): void => {
    const { cursor, history } = this;
    if (this.first === 0) this.first = firstOffset;
    else if (firstOffset !== this.last + 1)
      throw new Error(`record ${firstOffset} follows ${this.last}`);
    const buffer = bytes as Buffer;
    cursor.reset(bytes, start, end, firstOffset);
    let isLast = false;
    let left = count;
    while (cursor.advance()) {
      left--;
      isLast = cursor.isLastOfCommit;
      history.check(cursor.offset, buffer, cursor.start, cursor.end, isLast);
    }
    if (left !== 0) throw new Error(`${count - left} records in a frame of ${count}`);
    if (!isLast) throw new Error(`the frame at ${firstOffset} ends inside a commit`);
    this.last = cursor.offset;
  };
}
