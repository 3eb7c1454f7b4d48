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
import { ByteWriter } from '../base/bytes.ts';
import { ROW_FLAG } from '../instance/row.ts';
import type { Definition } from '../instance/machine-store.ts';
import type { State } from './state.ts';

const SPARE_LIMIT = 1024;
const KEPT_PAYLOAD_BYTES = 4096;
/**
 * Waiting payloads are folded into one context when they outweigh it twice, or, where that is small,
 * when they are many: a long wait must not pile them up, nor copy a large context for a small change.
 */
const FOLD_BYTES = 1024;
const FOLD_COUNT = 16;
const SMALL_CONTEXT_BYTES = 4096;

/** One instance as the commands before this one leave it. */
export class PendingInstance {
  handle = 0;
  id = '';
  definition: Definition | undefined;
  state = 0;
  createdAt = 0;
  updatedAt = 0;
  /** Of the last record that waits. */
  offset = 0;
  isDeleted = false;
  eventId: string | undefined = undefined;
  /** The instance itself waits: there is no row yet. */
  isNew = false;
  /** The first payload is a whole context: nothing of the row's own shows through. */
  isWhole = false;
  /** The payloads (for a new or migrated instance: first its context), each as u32 length and MessagePack. */
  readonly payloads: ByteWriter = new ByteWriter(192);
  payloadCount = 0;
  /** About the size of the context they change. */
  contextBytes = 0;

  copyFrom(other: PendingInstance): void {
    this.handle = other.handle;
    this.id = other.id;
    this.definition = other.definition;
    this.state = other.state;
    this.createdAt = other.createdAt;
    this.updatedAt = other.updatedAt;
    this.offset = other.offset;
    this.isDeleted = other.isDeleted;
    this.eventId = other.eventId;
    this.isNew = other.isNew;
    this.isWhole = other.isWhole;
    this.payloadCount = other.payloadCount;
    this.contextBytes = other.contextBytes;
    this.payloads.position = 0;
    this.payloads.raw(other.payloads.bytes, 0, other.payloads.position);
  }

  addPayload(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    this.payloads.u32(end - start);
    this.payloads.raw(bytes, start, end);
    this.payloadCount++;
  }

  /** A context that takes the place of everything before. */
  replaceContext(bytes: Uint8Array, start: number, end: number): void {
    this.replacePayloads(bytes, start, end);
    this.isWhole = true;
  }

  get needsFolding(): boolean {
    if (this.payloadCount < 2) return false;
    const { position } = this.payloads;
    const isMany = this.payloadCount > FOLD_COUNT && this.contextBytes <= SMALL_CONTEXT_BYTES;
    return isMany || position > Math.max(FOLD_BYTES, 2 * this.contextBytes);
  }

  /** One payload that says what all of them said. */
  replacePayloads(bytes: Uint8Array, start: number, end: number): void {
    this.payloads.position = 0;
    this.payloadCount = 0;
    this.addPayload(bytes, start, end);
    this.contextBytes = end - start;
  }
}

export class Overlay {
  private readonly state: State;
  private readonly byHandle = new Map<number, PendingInstance>();
  /** Instances without a row, by id. */
  private readonly newIds = new Map<string, PendingInstance>();
  /** Scoped idempotency keys that wait, with the fingerprint and offset they were used with. */
  readonly keys: Map<
    string,
    { readonly low: number; readonly high: number; readonly offset: number }
  > = new Map();
  private readonly spare: PendingInstance[] = [];
  /** While a transaction runs: what was there before it touched an instance. */
  private undo: Map<number, PendingInstance | undefined> | undefined;
  private undoKeys: string[] = [];

  constructor(state: State) {
    this.state = state;
  }

  get size(): number {
    return this.byHandle.size;
  }

  pendingAt(handle: number): PendingInstance | undefined {
    return this.byHandle.get(handle);
  }

  pendingNew(id: string): PendingInstance | undefined {
    return this.newIds.size === 0 ? undefined : this.newIds.get(id);
  }

  /** Instances that have no row yet. */
  created(): IterableIterator<PendingInstance> {
    return this.newIds.values();
  }

  all(): IterableIterator<PendingInstance> {
    return this.byHandle.values();
  }

  /** The entry of an instance that a command is about to change, made from its row if there is none. */
  touch(handle: number, definition: Definition): PendingInstance {
    let pending = this.byHandle.get(handle);
    if (pending !== undefined) {
      this.remember(handle, pending);
      return pending;
    }
    this.remember(handle, undefined);
    const instances = this.state.instances;
    pending = this.take(handle);
    pending.definition = definition;
    pending.state = instances.state(handle);
    pending.createdAt = instances.createdAt(handle);
    pending.updatedAt = instances.updatedAt(handle);
    pending.offset = instances.offset(handle);
    pending.contextBytes = instances.contexts.capacity(handle);
    this.byHandle.set(handle, pending);
    instances.setFlag(handle, ROW_FLAG.pending, true);
    return pending;
  }

  add(
    handle: number,
    id: string,
    definition: Definition,
    at: number,
    offset: number,
  ): PendingInstance {
    this.remember(handle, undefined);
    const pending = this.take(handle);
    pending.id = id;
    pending.definition = definition;
    pending.state = definition.compiled.initial;
    pending.createdAt = at;
    pending.updatedAt = at;
    pending.offset = offset;
    pending.isNew = true;
    pending.isWhole = true;
    this.byHandle.set(handle, pending);
    this.newIds.set(id, pending);
    return pending;
  }

  /** A record of this instance was applied: drop the entry if nothing younger waits. */
  applied(handle: number, offset: number): void {
    const pending = this.byHandle.get(handle);
    if (pending === undefined) return;
    if (pending.isNew) {
      this.newIds.delete(pending.id);
      pending.isNew = false;
    }
    const isDone = pending.offset <= offset;
    this.state.instances.setFlag(handle, ROW_FLAG.pending, !isDone);
    if (!isDone) return;
    this.byHandle.delete(handle);
    this.give(pending);
  }

  /** Starts to remember, so that rollback() can take everything back. */
  begin(): void {
    invariant(this.undo === undefined, 'one transaction at a time');
    this.undo = new Map();
    this.undoKeys = [];
  }

  forget(): void {
    for (const before of this.undo?.values() ?? []) if (before !== undefined) this.give(before);
    this.undo = undefined;
  }

  rollback(): void {
    const undo = this.undo ?? new Map<number, PendingInstance | undefined>();
    this.undo = undefined;
    for (const [handle, before] of undo) this.restore(handle, before);
    for (const key of this.undoKeys) this.keys.delete(key);
  }

  addKey(scoped: string, low: number, high: number, offset: number): void {
    this.keys.set(scoped, { low, high, offset });
    if (this.undo !== undefined) this.undoKeys.push(scoped);
  }

  /** Everything that waited is gone: the log is poisoned. */
  drop(): void {
    for (const pending of this.byHandle.values()) {
      if (!pending.isNew) this.state.instances.setFlag(pending.handle, ROW_FLAG.pending, false);
    }
    this.byHandle.clear();
    this.newIds.clear();
    this.keys.clear();
    this.undo = undefined;
  }

  private remember(handle: number, pending: PendingInstance | undefined): void {
    if (this.undo === undefined || this.undo.has(handle)) return;
    let before: PendingInstance | undefined;
    if (pending !== undefined) {
      before = this.take(handle);
      before.copyFrom(pending);
    }
    this.undo.set(handle, before);
  }

  private restore(handle: number, before: PendingInstance | undefined): void {
    const now = this.byHandle.get(handle);
    invariant(now !== undefined, 'what a transaction touched is still there');
    if (before !== undefined) {
      now.copyFrom(before);
      this.give(before);
      return;
    }
    this.byHandle.delete(handle);
    if (now.isNew) this.newIds.delete(now.id);
    else this.state.instances.setFlag(handle, ROW_FLAG.pending, false);
    this.give(now);
  }

  private take(handle: number): PendingInstance {
    const pending = this.spare.pop() ?? new PendingInstance();
    pending.handle = handle;
    pending.id = '';
    pending.isDeleted = false;
    pending.isNew = false;
    pending.isWhole = false;
    pending.eventId = undefined;
    pending.payloads.position = 0;
    pending.payloadCount = 0;
    pending.contextBytes = 0;
    return pending;
  }

  private give(pending: PendingInstance): void {
    pending.definition = undefined;
    if (this.spare.length < SPARE_LIMIT && pending.payloads.bytes.length <= KEPT_PAYLOAD_BYTES)
      this.spare.push(pending);
  }
}
