/**
 * First results into the store of idempotency keys, as their records are applied. Works on bytes:
 * no text is made for a key (bench replay, the row with keys).
 */
import { ByteWriter } from '../base/bytes.ts';
import { type KeptResult, KEPT_CONTEXT_BYTES } from '../instance/idempotency-store.ts';
import { KEY_SCOPE, type KeyScope, scopeKeyBytes } from '../instance/scoped-key.ts';
import type { Definition } from '../instance/machine-store.ts';
import { FIELD } from '../record/kind.ts';
import type { RecordReader, Span } from '../record/record-reader.ts';
import type { State } from './state.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NOWHERE: Span = { start: 0, end: 0 };

export class ResultKeeper {
  private readonly state: State;
  private readonly key = new ByteWriter(2200);
  private readonly kept: KeptResult = {
    offset: 0,
    at: 0,
    time: 0,
    fingerprintLow: 0,
    fingerprintHigh: 0,
    definition: 0,
    detail: 0,
    isBodyDropped: false,
    isPlain: false,
    hasEventId: false,
    record: NO_BYTES,
    id: NOWHERE,
    eventId: NOWHERE,
    body: NO_BYTES,
    bodyStart: 0,
    bodyEnd: 0,
  };

  constructor(state: State) {
    this.state = state;
  }

  /** The record was applied: its instance is as it left it. */
  keepCreated(record: RecordReader, definition: Definition, offset: number): void {
    const { nameBytes } = definition.machine;
    this.scope(
      KEY_SCOPE.create,
      nameBytes,
      0,
      nameBytes.length,
      record.bytes,
      record.key.start,
      record.key.end,
    );
    this.takeContext(record.handle);
    this.keep(record, record.name, definition.index, 0, offset);
  }

  keepTransition(record: RecordReader, definition: Definition, offset: number): void {
    this.scopeToInstance(KEY_SCOPE.apply, record);
    this.takeContext(record.handle);
    this.keep(record, NOWHERE, definition.index, record.transition, offset);
  }

  keepDeleted(record: RecordReader, definition: Definition, offset: number): void {
    this.scopeToInstance(KEY_SCOPE.delete, record);
    this.takeBody(NO_BYTES, 0, 0);
    this.keep(record, NOWHERE, definition.index, 0, offset);
  }

  /** The key of an outcome starts with the letter of its scope. */
  keepOutcome(record: RecordReader, offset: number): void {
    const { start, end } = record.key;
    const scope = String.fromCharCode(record.bytes[start] as number) as KeyScope;
    this.scope(scope, NO_BYTES, 0, 0, record.bytes, start + 1, end);
    this.takeBody(record.bytes, record.bodyStart, record.bodyEnd);
    this.kept.isPlain = true;
    this.keep(record, NOWHERE, 0, 0, offset);
  }

  private scopeToInstance(scope: KeyScope, record: RecordReader): void {
    const { instances } = this.state;
    const { ids } = instances;
    ids.locate(instances.idRefOf(record.handle));
    this.scope(
      scope,
      ids.bytes,
      ids.start,
      ids.end,
      record.bytes,
      record.key.start,
      record.key.end,
    );
  }

  private scope(
    scope: KeyScope,
    target: Uint8Array,
    targetStart: number,
    targetEnd: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): void {
    this.key.position = 0;
    scopeKeyBytes(this.key, scope, target, targetStart, targetEnd, key, keyStart, keyEnd);
  }

  private takeContext(handle: number): void {
    const { contexts } = this.state.instances;
    contexts.locate(handle);
    const { bytes, start, end } = contexts;
    const isKept = end - start <= KEPT_CONTEXT_BYTES;
    this.takeBody(bytes, start, isKept ? end : start);
    this.kept.isBodyDropped = !isKept;
  }

  private takeBody(bytes: Uint8Array, start: number, end: number): void {
    const { kept } = this;
    kept.body = bytes;
    kept.bodyStart = start;
    kept.bodyEnd = end;
    kept.isBodyDropped = false;
    kept.isPlain = false;
  }

  private keep(
    record: RecordReader,
    id: Span,
    definition: number,
    detail: number,
    offset: number,
  ): void {
    const { kept } = this;
    kept.offset = offset;
    kept.at = record.at;
    kept.time = record.time;
    kept.fingerprintLow = record.fingerprintLow;
    kept.fingerprintHigh = record.fingerprintHigh;
    kept.definition = definition;
    kept.detail = detail;
    kept.record = record.bytes;
    kept.id = id;
    kept.hasEventId = record.has(FIELD.eventId);
    kept.eventId = kept.hasEventId ? record.eventId : NOWHERE;
    this.state.keys.put(this.key.bytes, this.key.position, kept);
  }
}
