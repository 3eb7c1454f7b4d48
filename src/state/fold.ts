/**
 * Records into state: the one place that changes memory, entered by live commits, recovery and
 * every other reader of the log alike. Depends on nothing but state and record, and cannot fail on
 * a record this package wrote: what does not fit is an invariant broken, never a rejected command.
 */
import { invariant } from '../base/assert.ts';
import { ROW, ROW_FLAG, ROW_INDEX_MASK } from '../instance/row.ts';
import type { Definition } from '../instance/machine-store.ts';
import type { NormalisedDefinition } from '../machine/definition.ts';
import { decodeDefinition, decodeIndexes } from '../record/definition-codec.ts';
import { FIELD, RECORD_KIND } from '../record/kind.ts';
import { RecordReader } from '../record/record-reader.ts';
import { isMap } from '../value/structure.ts';
import { VectorFold } from './fold-vectors.ts';
import { ResultKeeper } from './result-keeper.ts';
import type { State } from './state.ts';

export class Fold {
  private readonly state: State;
  private readonly results: ResultKeeper;
  private readonly vectors: VectorFold;
  /** The record applied last; callers may read it until the next one. */
  readonly record: RecordReader = new RecordReader();

  constructor(state: State) {
    this.state = state;
    this.results = new ResultKeeper(state);
    this.vectors = new VectorFold(state);
  }

  /** Applies the record in bytes[start, end) as number `offset`. */
  apply(bytes: Uint8Array, start: number, end: number, offset: number): void {
    const state = this.state;
    invariant(offset === state.offset + 1, `record ${offset} follows ${state.offset}`);
    const record = this.record;
    record.read(bytes, start, end);
    switch (record.kind) {
      case RECORD_KIND.apply:
        this.applyEvent(offset);
        break;
      case RECORD_KIND.create:
        this.applyCreate(offset);
        break;
      case RECORD_KIND.delete:
        this.applyDelete(offset);
        break;
      case RECORD_KIND.migrate:
        this.applyMigrate(offset);
        break;
      case RECORD_KIND.define:
        state.machines.applyDefine(record.definition, () => this.definition());
        state.indexes.declared(state.machines.at(record.definition).machine);
        break;
      case RECORD_KIND.indexes:
        this.applyIndexes(record.text(record.name));
        break;
      case RECORD_KIND.hide:
        state.machines.applyHide(record.definition);
        break;
      case RECORD_KIND.purge:
        this.applyPurge();
        break;
      case RECORD_KIND.outcome:
        this.results.keepOutcome(record, offset);
        break;
      default:
        this.vectors.apply(record, offset);
    }
    state.offset = offset;
    state.time = record.time;
    if (record.time > state.maxTime) state.maxTime = record.time;
  }

  private applyIndexes(machine: string): void {
    const { machines, indexes } = this.state;
    machines.applyIndexes(machine, decodeIndexes(this.body()));
    const group = machines.group(machine);
    if (group !== undefined) indexes.declared(group);
  }

  private applyEvent(offset: number): void {
    const record = this.record;
    const instances = this.state.instances;
    const handle = record.handle;
    const definition = this.living(handle);
    const segment = instances.segment(handle);
    const i = handle & ROW_INDEX_MASK;
    const from = segment.u16[i * ROW.u16 + ROW.state] as number;
    const compiled = definition.compiled;
    const to = compiled.transitionTo[record.transition];
    invariant(
      to !== undefined && compiled.transitionFrom[record.transition] === from,
      'an event leaves the state its instance is in',
    );
    const { indexes } = this.state;
    indexes.leaving(handle, definition, from);
    segment.u16[i * ROW.u16 + ROW.state] = to;
    definition.population[from] = (definition.population[from] as number) - 1;
    definition.population[to] = (definition.population[to] as number) + 1;
    const updatedAt = i * ROW.f64 + ROW.updatedAt;
    if (record.at > (segment.f64[updatedAt] as number)) segment.f64[updatedAt] = record.at;
    segment.f64[i * ROW.f64 + ROW.offset] = offset;
    if (record.bodyStart < record.bodyEnd) {
      instances.contexts.merge(
        handle,
        definition.machine.shapes,
        record.bytes,
        record.bodyStart,
        record.bodyEnd,
      );
    }
    const payload = record.bodyStart < record.bodyEnd ? record.bytes : undefined;
    indexes.arrived(handle, definition, to, payload, record.bodyStart);
    if (record.has(FIELD.eventId))
      instances.contexts.setEventId(handle, record.bytes, record.eventId.start, record.eventId.end);
    if (record.has(FIELD.key)) this.results.keepTransition(record, definition, offset);
  }

  private applyCreate(offset: number): void {
    const record = this.record;
    const instances = this.state.instances;
    const definition = this.state.machines.at(record.definition);
    const initial = definition.compiled.initial;
    instances.create(
      record.handle,
      definition.index,
      initial,
      record.at,
      offset,
      record.bytes,
      record.name.start,
      record.name.end,
    );
    definition.population[initial] = (definition.population[initial] as number) + 1;
    definition.rows++;
    if (!isEmptyMap(record.bytes, record.bodyStart, record.bodyEnd)) {
      instances.contexts.set(
        record.handle,
        definition.machine.shapes,
        record.bytes,
        record.bodyStart,
        record.bodyEnd,
      );
    }
    this.state.indexes.created(record.handle, definition, initial);
    if (record.has(FIELD.key)) this.results.keepCreated(record, definition, offset);
  }

  private applyDelete(offset: number): void {
    const record = this.record;
    const instances = this.state.instances;
    const handle = record.handle;
    const definition = this.living(handle);
    const from = instances.state(handle);
    definition.population[from] = (definition.population[from] as number) - 1;
    this.state.indexes.leaving(handle, definition, from);
    this.state.indexes.deleted(handle, definition);
    instances.delete(handle, Math.max(record.at, instances.updatedAt(handle)), offset, record.time);
    if (record.has(FIELD.key)) this.results.keepDeleted(record, definition, offset);
  }

  /** The instance goes on under another version of its machine, in a state of that, with this context. */
  private applyMigrate(offset: number): void {
    const record = this.record;
    const { instances, machines, indexes } = this.state;
    const { handle, state } = record;
    const before = this.living(handle);
    const after = machines.at(record.definition);
    invariant(after.machine === before.machine, 'an instance stays with its machine');
    invariant(state < after.population.length, 'an instance is in a state of its definition');
    const isContext = record.bodyStart < record.bodyEnd;
    invariant(isContext && isMap(record.bytes[record.bodyStart] as number), 'a context is a map');
    const segment = instances.segment(handle);
    const i = handle & ROW_INDEX_MASK;
    const from = segment.u16[i * ROW.u16 + ROW.state] as number;
    indexes.leaving(handle, before, from);
    before.population[from] = (before.population[from] as number) - 1;
    before.rows--;
    after.population[state] = (after.population[state] as number) + 1;
    after.rows++;
    segment.u32[i * ROW.u32 + ROW.definition] = after.index;
    segment.u16[i * ROW.u16 + ROW.state] = state;
    const updatedAt = i * ROW.f64 + ROW.updatedAt;
    if (record.at > (segment.f64[updatedAt] as number)) segment.f64[updatedAt] = record.at;
    segment.f64[i * ROW.f64 + ROW.offset] = offset;
    instances.contexts.replace(
      handle,
      after.machine.shapes,
      record.bytes,
      record.bodyStart,
      record.bodyEnd,
    );
    indexes.replaced(handle, after, state);
  }

  private applyPurge(): void {
    const { instances, keys, machines } = this.state;
    keys.purgeThrough(this.record.keysThrough);
    for (let handle = instances.oldestDeleted; handle >= 0; handle = instances.oldestDeleted) {
      if (instances.offset(handle) > this.record.deletedThrough) break;
      machines.at(instances.definition(handle)).rows--;
      instances.purgeOldest();
    }
  }

  /** The definition of an instance that exists and is not deleted. */
  private living(handle: number): Definition {
    const instances = this.state.instances;
    invariant(handle < instances.rows.rows, 'a record names an instance that was created');
    const state = instances.flags(handle) & (ROW_FLAG.live | ROW_FLAG.deleted);
    invariant(state === ROW_FLAG.live, 'a record names an instance that exists');
    return this.state.machines.at(instances.definition(handle));
  }

  private definition(): NormalisedDefinition {
    const { record } = this;
    const body = decodeDefinition(this.body());
    const isNamed = body.name === record.text(record.name) && body.version === record.version;
    invariant(isNamed, 'a record defines the machine it names');
    return body;
  }

  private body(): Uint8Array {
    return this.record.bytes.subarray(this.record.bodyStart, this.record.bodyEnd);
  }
}

function isEmptyMap(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 1 && bytes[start] === 0x80;
}
