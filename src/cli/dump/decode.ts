/**
 * Records as people read them: names instead of numbers, resolved through the definitions and
 * creations earlier in the log. Knows of each instance its id, machine and state, and nothing else,
 * so a dump takes little memory and still shows records a fold would refuse.
 */
import { type CompiledMachine, compileMachine } from '../../machine/compile-machine.ts';
import { decodeDefinition, decodeIndexes } from '../../record/definition-codec.ts';
import { FIELD, RECORD_KIND } from '../../record/kind.ts';
import { RecordReader, type Span } from '../../record/record-reader.ts';
import { readValue } from '../../value/read-value.ts';
import { VectorRecords } from './vector-records.ts';
import { RecordCursor } from '../../../wal/payload.ts';

export type RecordKindName = keyof typeof RECORD_KIND;

/** One record; a field that its kind does not have is absent. Times are milliseconds. */
export interface DumpedRecord {
  readonly offset: number;
  /** Offset of the last record of the same commit. */
  commit: number;
  /** Of the commit, by the clock. */
  readonly time: number;
  readonly kind: RecordKindName;
  machine?: string;
  version?: number;
  /** Of a migration: the version the instance had; `version` is the one it gets. */
  fromVersion?: number;
  id?: string;
  event?: string;
  from?: string;
  to?: string;
  payload?: unknown;
  context?: unknown;
  definition?: unknown;
  indexes?: unknown;
  /** Of a purge: what was deleted, and what keys were written, at or before these offsets is gone. */
  deletedThrough?: number;
  keysThrough?: number;
  collection?: string;
  config?: unknown;
  /** 'kind:id'; absent: the global one. */
  scope?: string;
  metadata?: unknown;
  /** Takes the place of the metadata there was. */
  replaces?: boolean;
  vector?: readonly number[];
  eventTime?: number;
  expiresAt?: number;
  /** Entries whose time was over. */
  ids?: readonly string[];
  /** Result of a transaction, of a batch, or of a call to a collection, that had a key. */
  value?: unknown;
  /** Time of the fact, where the caller gave one. */
  at?: number;
  eventId?: string;
  key?: string;
  actor?: string;
  reason?: string;
  correlationId?: string;
}

interface KnownInstance {
  readonly id: string;
  definition: number;
  state: number;
}

interface KnownDefinition {
  readonly name: string;
  readonly version: number;
  readonly compiled: CompiledMachine;
}

export class LogDecoder {
  private readonly reader = new RecordReader();
  private readonly cursor = new RecordCursor();
  private readonly definitions = new Map<number, KnownDefinition>();
  /** By handle. */
  private readonly instances: KnownInstance[] = [];
  private readonly vectors = new VectorRecords();
  private decoded: DumpedRecord[] = [];

  /** Record that is being decoded, or was last. */
  get offset(): number {
    return this.cursor.offset;
  }

  /**
   * Decodes one frame; taken() then has its records, whole commits or, when this throws, those
   * before the record that could not be decoded. Records before `from` are only remembered.
   *
   * @throws {RangeError} a record does not fit its bytes
   * @throws {StoreError} FORMAT_UNSUPPORTED
   */
  frame(bytes: Uint8Array, start: number, end: number, firstOffset: number, from: number): void {
    const { cursor } = this;
    let ofCommit: DumpedRecord[] = [];
    cursor.reset(bytes, start, end, firstOffset);
    while (cursor.advance()) {
      this.reader.read(bytes, cursor.start, cursor.end);
      const record = this.decode(cursor.offset, cursor.offset >= from);
      if (record !== undefined) ofCommit.push(record);
      if (!cursor.isLastOfCommit) continue;
      for (const one of ofCommit) one.commit = cursor.offset;
      this.decoded.push(...ofCommit);
      ofCommit = [];
    }
  }

  /** The records decoded since the last call. */
  taken(): DumpedRecord[] {
    const { decoded } = this;
    this.decoded = [];
    return decoded;
  }

  private decode(offset: number, isWanted: boolean): DumpedRecord | undefined {
    const kind = KIND_NAMES[this.reader.kind];
    if (kind === undefined) throw new RangeError(`record ${offset} is of kind ${this.reader.kind}`);
    const record: DumpedRecord = { offset, commit: offset, time: this.reader.time, kind };
    if (!isWanted) {
      if (NAMING.has(kind)) this.learn(record);
      return undefined;
    }
    this.learn(record);
    this.addBody(record);
    this.addNotes(record);
    return record;
  }

  /** Fills in what has a name, and remembers what later records refer to. */
  private learn(record: DumpedRecord): void {
    const { reader } = this;
    switch (reader.kind) {
      case RECORD_KIND.define:
        this.learnDefinition(record);
        break;
      case RECORD_KIND.indexes:
        record.machine = reader.text(reader.name);
        break;
      case RECORD_KIND.hide:
        this.nameMachine(record, reader.definition);
        break;
      case RECORD_KIND.create:
        this.learnInstance(record);
        break;
      case RECORD_KIND.apply:
        this.learnEvent(record);
        break;
      case RECORD_KIND.delete:
        this.learnDelete(record);
        break;
      case RECORD_KIND.migrate:
        this.learnMigration(record);
        break;
      case RECORD_KIND.purge:
        if (reader.deletedThrough > 0) record.deletedThrough = reader.deletedThrough;
        if (reader.keysThrough > 0) record.keysThrough = reader.keysThrough;
        break;
      default:
        if (reader.kind >= RECORD_KIND.collection) this.vectors.learn(record, reader);
    }
  }

  private learnDefinition(record: DumpedRecord): void {
    const { reader } = this;
    const name = reader.text(reader.name);
    const { version } = reader;
    record.machine = name;
    record.version = version;
    // Again with the same number: a hidden one is offered again.
    if (this.definitions.has(reader.definition)) return;
    const body = decodeDefinition(this.body());
    this.definitions.set(reader.definition, { name, version, compiled: compileMachine(body) });
    record.definition = body;
  }

  private learnInstance(record: DumpedRecord): void {
    const { reader } = this;
    const id = reader.text(reader.name);
    const state = this.definitions.get(reader.definition)?.compiled.initial ?? 0;
    this.instances[reader.handle] = { id, definition: reader.definition, state };
    const known = this.nameInstance(record);
    if (known !== undefined) record.to = known.compiled.states[state] as string;
  }

  private learnEvent(record: DumpedRecord): void {
    const known = this.nameInstance(record);
    const transition = known?.compiled.transitions[this.reader.transition];
    const instance = this.instances[this.reader.handle];
    if (known === undefined || transition === undefined || instance === undefined) return;
    const { states, events } = known.compiled;
    instance.state = transition.to;
    record.event = events[transition.event] as string;
    record.from = states[transition.from] as string;
    record.to = states[transition.to] as string;
  }

  private learnDelete(record: DumpedRecord): void {
    const known = this.nameInstance(record);
    const instance = this.instances[this.reader.handle];
    if (known === undefined || instance === undefined) return;
    record.from = known.compiled.states[instance.state] as string;
  }

  private learnMigration(record: DumpedRecord): void {
    const { reader } = this;
    const instance = this.instances[reader.handle];
    const before = this.nameInstance(record);
    const after = this.nameMachine(record, reader.definition);
    if (instance === undefined || before === undefined || after === undefined) return;
    record.fromVersion = before.version;
    record.from = before.compiled.states[instance.state] as string;
    instance.definition = reader.definition;
    instance.state = reader.state;
    const to = after.compiled.states[reader.state];
    if (to !== undefined) record.to = to;
  }

  /** Machine, version and id of the instance the record is about. */
  private nameInstance(record: DumpedRecord): KnownDefinition | undefined {
    const instance = this.instances[this.reader.handle];
    if (instance === undefined) return undefined;
    const known = this.nameMachine(record, instance.definition);
    record.id = instance.id;
    return known;
  }

  private nameMachine(record: DumpedRecord, definition: number): KnownDefinition | undefined {
    const known = this.definitions.get(definition);
    if (known === undefined) return undefined;
    record.machine = known.name;
    record.version = known.version;
    return known;
  }

  private addBody(record: DumpedRecord): void {
    const { bodyStart, bodyEnd, bytes } = this.reader;
    if (bodyStart === bodyEnd) return;
    if (record.kind === 'indexes') record.indexes = decodeIndexes(this.body());
    const isContext = record.kind === 'create' || record.kind === 'migrate';
    if (isContext) record.context = readValue(bytes, bodyStart, bodyEnd);
    if (record.kind === 'apply') record.payload = readValue(bytes, bodyStart, bodyEnd);
    if (record.kind === 'outcome') record.value = readValue(bytes, bodyStart, bodyEnd);
    if (this.reader.kind >= RECORD_KIND.collection) this.vectors.addBody(record, this.reader);
  }

  private addNotes(record: DumpedRecord): void {
    const { reader } = this;
    const noted = (field: number, span: Span): string | undefined =>
      reader.has(field) ? reader.text(span) : undefined;
    if (reader.has(FIELD.at)) record.at = reader.at;
    const key = noted(FIELD.key, reader.key);
    const notes = {
      eventId: noted(FIELD.eventId, reader.eventId),
      // The key of an outcome begins with the letter of its scope.
      key: record.kind === 'outcome' ? key?.slice(1) : key,
      actor: noted(FIELD.actor, reader.actor),
      reason: noted(FIELD.reason, reader.reason),
      correlationId: noted(FIELD.correlationId, reader.correlationId),
    };
    for (const [name, value] of Object.entries(notes)) {
      if (value !== undefined) record[name as keyof typeof notes] = value;
    }
  }

  private body(): Uint8Array {
    const { bytes, bodyStart, bodyEnd } = this.reader;
    return bytes.subarray(bodyStart, bodyEnd);
  }
}

const KIND_NAMES: Readonly<Record<number, RecordKindName>> = Object.fromEntries(
  Object.entries(RECORD_KIND).map(([name, number]) => [number, name as RecordKindName]),
);

/** Later records cannot be named without these. */
const NAMING: ReadonlySet<RecordKindName> = new Set([
  'define',
  'create',
  'apply',
  'migrate',
  'collection',
  'vector',
]);
