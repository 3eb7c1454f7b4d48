/** What the tests of the id table share: an owner of handles that keeps the refs, as an instance store does. */
import { FreeHandles } from '../../../src/base/free-handles.ts';
import { IdTable } from '../../../src/base/id-table.ts';
import { SlabHeap } from '../../../src/base/slab-heap.ts';

export const KEY: Uint8Array = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2);

export class IdOwner {
  readonly heap: SlabHeap = new SlabHeap();
  readonly handles: FreeHandles = new FreeHandles();
  readonly refs: (number | undefined)[] = [];
  readonly table: IdTable;

  constructor(hashKey: Uint8Array = KEY) {
    this.table = new IdTable({ heap: this.heap, hashKey, refOf: this });
  }

  idRefOf(handle: number): number {
    const ref = this.refs[handle];
    if (ref === undefined)
      throw new Error(`the table asked for handle ${handle}, which has no ref`);
    return ref;
  }

  add(id: string): number {
    return this.addBytes(Buffer.from(id));
  }

  addBytes(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
    const handle = this.handles.take();
    this.refs[handle] = this.table.put(handle, bytes, start, end);
    return handle;
  }

  remove(handle: number): void {
    const ref = this.idRefOf(handle);
    this.refs[handle] = undefined;
    this.table.remove(handle, ref);
    this.handles.release(handle);
  }

  textOf(handle: number): string {
    return this.table.idText(this.idRefOf(handle));
  }
}
