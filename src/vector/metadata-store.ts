/**
 * The metadata of entries, packed as contexts are: each in a slot of the heap as `varint(length)
 * value`, its keys in the shapes of the collection. A ref of 0 is an entry without metadata.
 */
import { ByteWriter } from '../base/bytes.ts';
import type { SlabHeap } from '../base/slab-heap.ts';
import { MiB } from '../base/units.ts';
import { readVarint, varintSize } from '../base/varint.ts';
import { mergePacked } from '../value/merge.ts';
import { packValue, unpackToMessagePack } from '../value/pack.ts';
import { ShapeTable } from '../value/shape-table.ts';

/** The packed form of metadata without fields. */
const EMPTY: Uint8Array = Uint8Array.of(0x80);
/** A scratch buffer that grew beyond this for one large value is not kept. */
const KEPT_SCRATCH_BYTES: number = MiB;

export class MetadataStore {
  readonly shapes: ShapeTable = new ShapeTable();
  /** Where the metadata asked for by locate() lies. */
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 1;
  private readonly heap: SlabHeap;
  private readonly packed = new ByteWriter(1024);

  constructor(heap: SlabHeap) {
    this.heap = heap;
  }

  /** Stores metadata given as MessagePack, in the place of what `ref` names; gives the new ref. */
  replace(ref: number, bytes: Uint8Array, start: number, end: number): number {
    this.packed.position = 0;
    packValue(this.shapes, bytes, start, end, this.packed);
    return this.write(ref);
  }

  /** Merges MessagePack shallowly into what `ref` names. */
  merge(ref: number, bytes: Uint8Array, start: number, end: number): number {
    this.locate(ref);
    this.packed.position = 0;
    mergePacked(this.shapes, this.bytes, this.start, this.end, bytes, start, end, this.packed);
    return this.write(ref);
  }

  free(ref: number): void {
    if (ref !== 0) this.heap.free(ref);
  }

  /** Sets bytes, start and end; they hold until the next change. */
  locate(ref: number): void {
    if (ref === 0) {
      this.bytes = EMPTY;
      this.start = 0;
      this.end = 1;
      return;
    }
    const bytes = this.heap.bytesOf(ref);
    const at = this.heap.startOf(ref);
    const length = readVarint(bytes, at);
    this.bytes = bytes;
    this.start = at + varintSize(length);
    this.end = this.start + length;
  }

  /** Appends as MessagePack what `ref` names. */
  writeTo(ref: number, out: ByteWriter): void {
    this.locate(ref);
    unpackToMessagePack(this.shapes, this.bytes, this.start, this.end, out);
  }

  private write(old: number): number {
    const { packed } = this;
    const length = packed.position;
    packed.varint(length);
    const head = packed.position - length;
    if (old !== 0) this.heap.free(old);
    const ref = this.heap.allocate(length + head);
    const to = this.heap.bytesOf(ref);
    const at = this.heap.startOf(ref);
    to.set(packed.bytes.subarray(length, length + head), at);
    to.set(packed.bytes.subarray(0, length), at + head);
    packed.trim(KEPT_SCRATCH_BYTES);
    return ref;
  }
}
