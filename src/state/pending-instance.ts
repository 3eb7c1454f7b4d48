/**
 * One instance as the commands before this one leave it. Its context is not merged here: an instance
 * that is new or migrated has a whole one, and behind it, or behind that of the row, wait the payloads.
 */
import { ByteWriter } from '../base/bytes.ts';
import type { Definition } from '../instance/machine-store.ts';

/**
 * Waiting payloads are folded into one context when they outweigh it twice, or, where that is small,
 * when they are many: a long wait must not pile them up, nor copy a large context for a small change.
 */
const FOLD_BYTES = 1024;
const FOLD_COUNT = 16;
const SMALL_CONTEXT_BYTES = 4096;
const NO_BYTES: Uint8Array = new Uint8Array(0);

export class PendingInstance {
  handle = 0;
  id = '';
  /** Of the id, of an instance without a row. */
  idHash = 0;
  definition: Definition | undefined = undefined;
  state = 0;
  createdAt = 0;
  updatedAt = 0;
  /** Of the last record that waits. */
  offset = 0;
  isDeleted = false;
  eventId: string | undefined = undefined;
  /** The instance itself waits: there is no row yet. */
  isNew = false;
  /** Group of records that this was remembered for last, so that it can be taken back. */
  group = 0;
  /** A whole context, MessagePack, in bytes that do not change: nothing of the row's own shows through. Empty: none. */
  whole: Uint8Array = NO_BYTES;
  wholeStart = 0;
  wholeEnd = 0;
  /** The payloads behind it, each as u32 length and MessagePack. Most new instances never have any. */
  payloads: ByteWriter | undefined = undefined;
  payloadCount = 0;
  /** About the size of the context they change. */
  contextBytes = 0;

  get isWhole(): boolean {
    return this.wholeEnd > this.wholeStart;
  }

  /** Bytes of context and payloads that wait. */
  get waitingBytes(): number {
    return this.wholeEnd - this.wholeStart + (this.payloads?.position ?? 0);
  }

  /** As new, but for the buffer of payloads. */
  reset(): void {
    this.id = '';
    this.definition = undefined;
    this.isDeleted = false;
    this.isNew = false;
    this.eventId = undefined;
    this.group = 0;
    this.setWhole(NO_BYTES, 0, 0);
    this.contextBytes = 0;
  }

  copyFrom(other: PendingInstance): void {
    this.handle = other.handle;
    this.id = other.id;
    this.idHash = other.idHash;
    this.definition = other.definition;
    this.state = other.state;
    this.createdAt = other.createdAt;
    this.updatedAt = other.updatedAt;
    this.offset = other.offset;
    this.isDeleted = other.isDeleted;
    this.eventId = other.eventId;
    this.isNew = other.isNew;
    this.group = other.group;
    this.setWhole(other.whole, other.wholeStart, other.wholeEnd);
    const { payloads } = other;
    if (payloads !== undefined) this.buffer().raw(payloads.bytes, 0, payloads.position);
    this.payloadCount = other.payloadCount;
    this.contextBytes = other.contextBytes;
  }

  /** A context in the place of everything before. */
  setWhole(bytes: Uint8Array, start: number, end: number): void {
    this.whole = bytes;
    this.wholeStart = start;
    this.wholeEnd = end;
    this.payloadCount = 0;
    if (this.payloads !== undefined) this.payloads.position = 0;
    this.contextBytes = end - start;
  }

  addPayload(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const payloads = this.buffer();
    payloads.u32(end - start);
    payloads.raw(bytes, start, end);
    this.payloadCount++;
  }

  get needsFolding(): boolean {
    const count = this.payloadCount + (this.isWhole ? 1 : 0);
    if (count < 2) return false;
    const isMany = count > FOLD_COUNT && this.contextBytes <= SMALL_CONTEXT_BYTES;
    return isMany || this.waitingBytes > Math.max(FOLD_BYTES, 2 * this.contextBytes);
  }

  private buffer(): ByteWriter {
    this.payloads ??= new ByteWriter(192);
    return this.payloads;
  }
}
