/**
 * The instance a command is about, as the commands before it leave it: the overlay's entry if it
 * has one, else the applied row. One object per pipeline, reused; it holds until the next look-up.
 */
import type { Definition } from '../../instance/machine-store.ts';
import { ROW_FLAG } from '../../instance/row.ts';
import type { Data } from '../../machine/definition.ts';
import { mergePacked } from '../../value/merge.ts';
import { packValue, unpackToMessagePack } from '../../value/pack.ts';
import { readPacked } from '../../value/read-packed.ts';
import { ByteWriter } from '../../base/bytes.ts';
import { StoreError } from '../../base/errors.ts';
import { MiB } from '../../base/units.ts';
import type { Overlay } from '../../state/overlay.ts';
import type { PendingInstance } from '../../state/pending-instance.ts';
import type { State } from '../../state/state.ts';
import type { Instance } from '../api/instance.ts';
import { LIMITS } from '../limits.ts';
import { instanceAt } from '../results.ts';

export class Target {
  private readonly applied: State;
  private readonly overlay: Overlay;
  handle = -1;
  /** Of the id that {@link find} was asked for. */
  idHash = 0;
  pending: PendingInstance | undefined = undefined;
  definition!: Definition;
  state = 0;
  offset = 0;
  updatedAt = 0;
  isDeleted = false;
  /** Two buffers, so that each merge reads from one and writes to the other. */
  private readonly buffers: readonly [ByteWriter, ByteWriter] = [
    new ByteWriter(1024),
    new ByteWriter(1024),
  ];

  constructor(state: State, overlay: Overlay) {
    this.applied = state;
    this.overlay = overlay;
  }

  /** False when no such instance exists, not even a deleted one. */
  find(id: string): boolean {
    const { ids } = this.applied.instances;
    this.pending = undefined;
    this.handle = -1;
    if (!ids.look(id)) return false;
    this.idHash = ids.lookedHash;
    // A new instance may take the id of one whose purge waits: the overlay knows better.
    this.pending = this.overlay.pendingNew(this.idHash, id);
    const handle = this.pending === undefined ? ids.getLooked() : this.pending.handle;
    return handle >= 0 && this.load(handle);
  }

  /** By handle; it must exist, in the state or in the overlay. */
  load(handle: number): boolean {
    this.handle = handle;
    const instances = this.applied.instances;
    const flags = instances.isLive(handle) ? instances.flags(handle) : ROW_FLAG.pending;
    const pending = (flags & ROW_FLAG.pending) === 0 ? undefined : this.overlay.pendingAt(handle);
    this.pending = pending;
    if (pending !== undefined) {
      this.definition = pending.definition as Definition;
      this.state = pending.state;
      this.offset = pending.offset;
      this.updatedAt = pending.updatedAt;
      this.isDeleted = pending.isDeleted;
      return true;
    }
    this.definition = this.applied.machines.at(instances.definition(handle));
    this.state = instances.state(handle);
    this.offset = instances.offset(handle);
    this.updatedAt = instances.updatedAt(handle);
    this.isDeleted = (flags & ROW_FLAG.deleted) !== 0;
    return true;
  }

  /** The instance as the commands so far leave it; `offset` is the one it gets if they succeed. */
  instance(id: string): Instance {
    const { pending, definition } = this;
    if (pending === undefined) return instanceAt(this.applied, this.handle, id, definition);
    const instances = this.applied.instances;
    const lastEventId =
      pending.eventId ?? (pending.isNew ? undefined : instances.contexts.lastEventId(this.handle));
    return {
      id,
      machine: definition.machine.name,
      version: definition.version,
      state: definition.compiled.states[this.state] as string,
      context: this.context(),
      createdAt: pending.createdAt,
      updatedAt: pending.updatedAt,
      offset: pending.offset,
      ...(lastEventId === undefined ? {} : { lastEventId }),
      deleted: pending.isDeleted,
    };
  }

  /** A fresh object. */
  context(): Data {
    return this.withContext(
      (bytes, start, end) => readPacked(this.definition.machine.shapes, bytes, start, end) as Data,
    );
  }

  /** No context has more bytes than this, packed: payloads that wait may replace what is there. Reads no slot. */
  contextBound(): number {
    const { pending } = this;
    const waiting = pending?.waitingBytes ?? 0;
    return pending?.isWhole === true
      ? waiting
      : waiting + this.applied.instances.contexts.capacity(this.handle);
  }

  /** Appends the context as MessagePack. */
  writeContext(out: ByteWriter): void {
    this.withContext((bytes, start, end) =>
      unpackToMessagePack(this.definition.machine.shapes, bytes, start, end, out),
    );
  }

  /** @throws {StoreError} RECORD_TOO_LARGE - with this payload merged the context would be over its limit. */
  checkSize(id: string, payload: ByteWriter): void {
    const added = payload.position;
    if (added === 0 || this.contextBound() + added <= LIMITS.contextBytes) return;
    // The sum is a bound from above: the payload may replace what is there. Count what would remain.
    const out = new ByteWriter(MiB);
    const { shapes } = this.definition.machine;
    this.withContext((bytes, start, end) =>
      mergePacked(shapes, bytes, start, end, payload.bytes, 0, added, out),
    );
    if (out.position <= LIMITS.contextBytes) return;
    const message = `the context of ${JSON.stringify(id)} would exceed ${LIMITS.contextBytes} bytes; nothing was written`;
    throw new StoreError('RECORD_TOO_LARGE', message, {
      details: { what: 'context', actual: out.position, limit: LIMITS.contextBytes },
    });
  }

  /** Hands the packed context, as it stands, to `use`. */
  withContext<T>(use: (bytes: Uint8Array, start: number, end: number) => T): T {
    const { contexts } = this.applied.instances;
    const { pending } = this;
    const { shapes } = this.definition.machine;
    let [from, to] = this.buffers;
    from.position = 0;
    if (pending?.isWhole === true) {
      packValue(shapes, pending.whole, pending.wholeStart, pending.wholeEnd, from);
    } else {
      contexts.locate(this.handle);
      if (pending === undefined) return use(contexts.bytes, contexts.start, contexts.end);
      from.raw(contexts.bytes, contexts.start, contexts.end);
    }
    if (pending.payloads === undefined) return use(from.bytes, 0, from.position);
    const { bytes, view, position } = pending.payloads;
    for (let start = 4; start < position;) {
      const end = start + view.getUint32(start - 4, true);
      to.position = 0;
      mergePacked(shapes, from.bytes, 0, from.position, bytes, start, end, to);
      [from, to] = [to, from];
      start = end + 4;
    }
    return use(from.bytes, 0, from.position);
  }
}
