/**
 * What waits for the disk, read over the state: commands are decided against this, readers never
 * see it. An instance enters when a command changes it and leaves when the last such record is
 * applied. Objects here are few and reused; at rest the overlay is empty.
 *
 * Contexts are not merged here. The payloads that wait are kept in order, and merging them over the
 * applied context gives the pending one, also when some of them were applied meanwhile: a shallow
 * merge repeated in the same order changes nothing.
 */
import { invariant } from '../base/assert.ts';
import { ByteCopies } from '../base/byte-copies.ts';
import type { ByteWriter } from '../base/bytes.ts';
import { KiB } from '../base/units.ts';
import { ROW_FLAG } from '../instance/row.ts';
import type { Definition } from '../instance/machine-store.ts';
import { PendingInstance } from './pending-instance.ts';
import { PendingTable } from './pending-table.ts';
import { PendingVectors } from './pending-vectors.ts';
import type { State } from './state.ts';

const SPARE_LIMIT = 2048;
const KEPT_PAYLOAD_BYTES = 4096;
const CONTEXT_CHUNK_BYTES: number = 64 * KiB;

export class Overlay {
  private readonly state: State;
  private readonly byHandle = new PendingTable();
  /** Instances without a row, by the hash of their id. */
  private readonly newIds = new PendingTable();
  /** Whole contexts of those that wait. */
  private readonly contexts = new ByteCopies(CONTEXT_CHUNK_BYTES);
  /** Scoped idempotency keys that wait, with the fingerprint and offset they were used with. */
  readonly keys: Map<
    string,
    { readonly low: number; readonly high: number; readonly offset: number }
  > = new Map();
  /** Entries of collections. */
  readonly vectors: PendingVectors;
  private readonly spare: PendingInstance[] = [];
  /** While a group of records is open: what it touched, and a copy as it was before, if it was there. */
  private readonly touched: PendingInstance[] = [];
  private readonly before: (PendingInstance | undefined)[] = [];
  private touchedKeys: string[] = [];
  private isInGroup = false;
  private group = 0;

  constructor(state: State) {
    this.state = state;
    this.vectors = new PendingVectors(state);
  }

  get size(): number {
    return this.byHandle.size;
  }

  pendingAt(handle: number): PendingInstance | undefined {
    return this.byHandle.get(handle);
  }

  /** `hash`: of the id, as the table of ids makes it. */
  pendingNew(hash: number, id: string): PendingInstance | undefined {
    return this.newIds.find(hash, id);
  }

  /** Instances that have no row yet, in no order. */
  created(): IterableIterator<PendingInstance> {
    return this.newIds.all();
  }

  all(): IterableIterator<PendingInstance> {
    return this.byHandle.all();
  }

  /** The entry of an instance that a command is about to change, made from its row if there is none. */
  touch(handle: number, definition: Definition): PendingInstance {
    const known = this.byHandle.get(handle);
    if (known !== undefined) {
      if (this.isInGroup && known.group !== this.group) this.remember(known, this.copyOf(known));
      return known;
    }
    const instances = this.state.instances;
    const pending = this.take(handle);
    pending.definition = definition;
    pending.state = instances.state(handle);
    pending.createdAt = instances.createdAt(handle);
    pending.updatedAt = instances.updatedAt(handle);
    pending.offset = instances.offset(handle);
    pending.contextBytes = instances.contexts.capacity(handle);
    if (this.isInGroup) this.remember(pending, undefined);
    this.byHandle.add(handle, pending);
    instances.setFlag(handle, ROW_FLAG.pending, true);
    return pending;
  }

  /** The entry of a new instance. The context is MessagePack. */
  add(
    handle: number,
    id: string,
    idHash: number,
    definition: Definition,
    at: number,
    offset: number,
    context: ByteWriter,
  ): void {
    const pending = this.take(handle);
    pending.id = id;
    pending.idHash = idHash;
    pending.definition = definition;
    pending.state = definition.compiled.initial;
    pending.createdAt = at;
    pending.updatedAt = at;
    pending.offset = offset;
    pending.isNew = true;
    this.setContext(pending, context);
    if (this.isInGroup) this.remember(pending, undefined);
    this.byHandle.add(handle, pending);
    this.newIds.add(idHash, pending);
  }

  /** A context, MessagePack, that takes the place of everything before. */
  setContext(pending: PendingInstance, context: ByteWriter): void {
    const { contexts } = this;
    contexts.copyOf(context);
    pending.setWhole(contexts.bytes, contexts.start, contexts.end);
  }

  /** A record of this instance was applied: drop the entry if nothing younger waits. */
  applied(handle: number, offset: number): void {
    const pending = this.byHandle.get(handle);
    if (pending === undefined) return;
    if (pending.isNew) {
      this.newIds.remove(pending.idHash, pending);
      pending.isNew = false;
    }
    const isDone = pending.offset <= offset;
    if (!isDone) {
      this.state.instances.setFlag(handle, ROW_FLAG.pending, true);
      return;
    }
    this.state.instances.setFlag(handle, ROW_FLAG.pending, false);
    this.leave(pending);
  }

  private leave(pending: PendingInstance): void {
    this.byHandle.remove(pending.handle, pending);
    this.give(pending);
    if (this.byHandle.size === 0) this.contexts.reuse();
  }

  /** Starts to remember, so that rollback() can take everything back. */
  begin(): void {
    invariant(!this.isInGroup, 'one transaction at a time');
    this.vectors.begin();
    this.isInGroup = true;
    this.group++;
  }

  forget(): void {
    for (const before of this.before) if (before !== undefined) this.give(before);
    this.vectors.forget();
    this.endGroup();
  }

  rollback(): void {
    for (let i = 0; i < this.touched.length; i++)
      this.restore(this.touched[i] as PendingInstance, this.before[i]);
    for (const key of this.touchedKeys) this.keys.delete(key);
    this.vectors.rollback();
    this.endGroup();
  }

  private endGroup(): void {
    this.isInGroup = false;
    this.touched.length = 0;
    this.before.length = 0;
    if (this.touchedKeys.length > 0) this.touchedKeys = [];
  }

  addKey(scoped: string, low: number, high: number, offset: number): void {
    this.keys.set(scoped, { low, high, offset });
    if (this.isInGroup) this.touchedKeys.push(scoped);
  }

  /** Nothing that waits was written, and the log goes on: the handles it took are free again. */
  giveBack(): void {
    const { free } = this.state.instances;
    const taken = Array.from(this.created(), (created) => created.handle);
    for (const handle of taken.sort((a, b) => b - a)) free.giveBack(handle);
    this.vectors.giveBack();
  }

  /** Everything that waited is gone: the log is poisoned. */
  drop(): void {
    for (const pending of this.byHandle.all()) {
      if (!pending.isNew) this.state.instances.setFlag(pending.handle, ROW_FLAG.pending, false);
    }
    this.byHandle.clear();
    this.newIds.clear();
    this.keys.clear();
    this.vectors.drop();
    this.contexts.reuse();
    this.endGroup();
  }

  /** The first time the open group changes it. */
  private remember(pending: PendingInstance, before: PendingInstance | undefined): void {
    pending.group = this.group;
    this.touched.push(pending);
    this.before.push(before);
  }

  private copyOf(pending: PendingInstance): PendingInstance {
    const copy = this.take(pending.handle);
    copy.copyFrom(pending);
    return copy;
  }

  private restore(now: PendingInstance, before: PendingInstance | undefined): void {
    if (before !== undefined) {
      now.copyFrom(before);
      this.give(before);
      return;
    }
    if (now.isNew) this.newIds.remove(now.idHash, now);
    else this.state.instances.setFlag(now.handle, ROW_FLAG.pending, false);
    this.leave(now);
  }

  private take(handle: number): PendingInstance {
    const pending = this.spare.pop() ?? new PendingInstance();
    pending.handle = handle;
    return pending;
  }

  private give(pending: PendingInstance): void {
    if (this.spare.length === SPARE_LIMIT) return;
    if ((pending.payloads?.bytes.length ?? 0) > KEPT_PAYLOAD_BYTES) return;
    pending.reset();
    this.spare.push(pending);
  }
}
