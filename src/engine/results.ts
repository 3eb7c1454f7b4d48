/**
 * What writes answer. A Transition keeps the packed context as its event left it and decodes it
 * when somebody looks; everything else is plain data.
 */
import { inspect } from 'node:util';
import { StoreError } from '../base/errors.ts';
import type { Definition } from '../instance/machine-store.ts';
import type { CompiledTransition } from '../machine/compile-machine.ts';
import type { Data } from '../machine/definition.ts';
import { readPacked } from '../value/read-packed.ts';
import type { State } from '../state/state.ts';
import { ROW, ROW_FLAG, ROW_INDEX_MASK } from '../instance/row.ts';
import type { Created, Instance, Transition } from './api/instance.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * What a transition answers. Everything but the context is known when it is decided; that is kept
 * packed as the event left it, decoded at the first look, and the same object afterwards.
 */
export class TransitionResult implements Transition {
  readonly #definition: Definition;
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  #context: Data | undefined;
  readonly id: string;
  readonly machine: string;
  readonly version: number;
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly at: number;
  readonly offset: number;
  readonly applied: boolean;
  declare readonly eventId?: string;

  constructor(
    id: string,
    definition: Definition,
    transition: number,
    at: number,
    offset: number,
    applied: boolean,
    eventId: string | undefined,
  ) {
    this.#definition = definition;
    const compiled = definition.compiled;
    const rule = compiled.transitions[transition] as CompiledTransition;
    this.id = id;
    this.machine = definition.machine.name;
    this.version = definition.version;
    this.event = compiled.events[rule.event] as string;
    this.from = compiled.states[rule.from] as string;
    this.to = compiled.states[rule.to] as string;
    this.at = at;
    this.offset = offset;
    this.applied = applied;
    if (eventId !== undefined) this.eventId = eventId;
  }

  /** @internal the context as the event left it, packed; the bytes must not change any more */
  keepPacked(bytes: Uint8Array, start: number, end: number): this {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    return this;
  }

  get context(): Data {
    this.#context ??= this.#decode();
    return this.#context;
  }

  #decode(): Data {
    if (this.#start === this.#end) throw contextDropped();
    const { shapes } = this.#definition.machine;
    const context = readPacked(shapes, this.#bytes, this.#start, this.#end) as Data;
    // They lie among those of others, which nobody may want any more.
    this.#bytes = NO_BYTES;
    return context;
  }

  /** Without the context if that was not kept: turning a result to text must not throw. */
  toJSON(): object {
    return Object.assign({}, this, this.#start === this.#end ? {} : { context: this.context });
  }

  static {
    // What the console shows: the context too, which is no own property.
    Object.defineProperty(this.prototype, inspect.custom, {
      value(this: TransitionResult): object {
        return this.toJSON();
      },
    });
  }
}

const NOT_YET: Data = Object.freeze({});

/** What a create answers, but for the context, which is the one that is applied. */
export function newInstance(
  id: string,
  definition: Definition,
  at: number,
  offset: number,
): Created {
  const { compiled, machine, version } = definition;
  return {
    id,
    machine: machine.name,
    version,
    state: compiled.states[compiled.initial] as string,
    context: NOT_YET,
    createdAt: at,
    updatedAt: at,
    offset,
    deleted: false,
    applied: true,
  };
}

/** A first result is kept with at most 4 KiB of context. */
export function contextDropped(): StoreError {
  return new StoreError(
    'UNSUPPORTED',
    'the context of this first result exceeded 4 KiB and was not kept; read the instance with get',
  );
}

/**
 * The first `count` of these rows as plain data. What they lie in is touched first, so that the
 * processor waits for the memory of many rows at a time and not for one after the other.
 */
export function instancesAt(state: State, handles: readonly number[], count: number): Instance[] {
  const { instances, machines } = state;
  instances.touch(handles, count);
  const items: Instance[] = [];
  for (let i = 0; i < count; i++) {
    const handle = handles[i] as number;
    const definition = machines.at(instances.definition(handle));
    items.push(instanceAt(state, handle, instances.idText(handle), definition));
  }
  return items;
}

/** The applied row as plain data. */
export function instanceAt(
  state: State,
  handle: number,
  id: string,
  definition: Definition,
): Instance {
  const { rows, contexts } = state.instances;
  const segment = rows.segmentOf(handle);
  const row = handle & ROW_INDEX_MASK;
  contexts.locate(handle);
  const { bytes, start, end } = contexts;
  const flags = segment.u16[row * ROW.u16 + ROW.flags] as number;
  const name = segment.u16[row * ROW.u16 + ROW.state] as number;
  const instance = {
    id,
    machine: definition.machine.name,
    version: definition.version,
    state: definition.compiled.states[name] as string,
    context: readPacked(definition.machine.shapes, bytes, start, end) as Data,
    createdAt: segment.f64[row * ROW.f64 + ROW.createdAt] as number,
    updatedAt: segment.f64[row * ROW.f64 + ROW.updatedAt] as number,
    offset: segment.f64[row * ROW.f64 + ROW.offset] as number,
    deleted: (flags & ROW_FLAG.deleted) !== 0,
  };
  // Not a spread in the literal: that would cost every read more than the rest of this function.
  if ((flags & ROW_FLAG.eventId) === 0) return instance;
  return Object.assign(instance, { lastEventId: contexts.lastEventId(handle) as string });
}
