/**
 * The key (src/query/key.ts) of what lies at a place of packed values, in a buffer used again and
 * again.
 */
import { ByteWriter } from '../base/bytes.ts';
import { MAX_KEY_BYTES, encodeKey, rankOf } from '../query/key.ts';
import { CLASS } from '../query/order.ts';
import { RECORD } from '../value/format.ts';
import { readPacked } from '../value/read-packed.ts';
import type { ShapeTable } from '../value/shape-table.ts';
import { skipPacked } from '../value/skip.ts';
import { isStructure } from '../value/structure.ts';
import { encodeTextAt } from './text-key.ts';

/** All lists and objects have one key. */
const COMPOSITE: object = Object.freeze({});

export class PackedKey {
  /** The key written last: all of it. */
  readonly out: ByteWriter = new ByteWriter(MAX_KEY_BYTES + 1);
  private readonly shapes: ShapeTable;

  constructor(shapes: ShapeTable) {
    this.shapes = shapes;
  }

  /** Of nothing at all, of a list and of an object; gives the rank. */
  writeNone(): number {
    this.out.position = 0;
    this.out.u8(CLASS.none);
    return 0;
  }

  /** Of the value at `at`; gives its rank. */
  write(bytes: Uint8Array, at: number): number {
    this.out.position = 0;
    const rank = encodeTextAt(bytes, at, this.out);
    return rank >= 0 ? rank : this.writeOther(bytes, at);
  }

  private writeOther(bytes: Uint8Array, at: number): number {
    const isComposite = isStructure(bytes[at] as number) || bytes[at] === RECORD;
    const end = isComposite ? at : skipPacked(this.shapes, bytes, at);
    const value = isComposite ? COMPOSITE : readPacked(this.shapes, bytes, at, end);
    encodeKey(value, this.out);
    return rankOf(value);
  }
}
