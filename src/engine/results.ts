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
import { ROW_FLAG } from '../instance/row.ts';
import type { Instance, Transition } from './api/instance.ts';

/** A context that is packed, decoded, or too large to have been kept. */
export interface KeptContext {
  read(): Data;
}

/** A packed context of its own, apart from the state. */
export class PackedContext implements KeptContext {
  private readonly bytes: Uint8Array;
  private readonly definition: Definition;

  constructor(definition: Definition, source: Uint8Array, start: number, end: number) {
    const copy = Buffer.allocUnsafe(end - start);
    if (end - start <= 64)
      for (let i = start, to = 0; i < end; i++) copy[to++] = source[i] as number;
    else copy.set(source.subarray(start, end));
    this.bytes = copy;
    this.definition = definition;
  }

  read(): Data {
    return readPacked(this.definition.machine.shapes, this.bytes, 0, this.bytes.length) as Data;
  }
}

export const DROPPED_CONTEXT: KeptContext = {
  read() {
    throw new StoreError(
      'UNSUPPORTED',
      'the context of this first result exceeded 4 KiB and was not kept; read the instance with get',
    );
  },
};

export function decoded(context: Data): KeptContext {
  return { read: () => context };
}

export class TransitionResult implements Transition {
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
  readonly #kept: KeptContext;
  #context: Data | undefined;

  constructor(
    id: string,
    definition: Definition,
    transition: number,
    at: number,
    offset: number,
    applied: boolean,
    eventId: string | undefined,
    kept: KeptContext,
  ) {
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
    this.#kept = kept;
  }

  /** Decoded at the first look; the same object afterwards. */
  get context(): Data {
    this.#context ??= this.#kept.read();
    return this.#context;
  }

  toJSON(): object {
    return { ...this, context: this.context };
  }

  static {
    // What the console shows: the context too, which is no own property.
    Object.defineProperty(this.prototype, inspect.custom, {
      value(this: TransitionResult): object {
        return {
          ...this,
          context: this.#kept === DROPPED_CONTEXT ? '(over 4 KiB, not kept)' : this.context,
        };
      },
    });
  }
}

/** The applied row as plain data. */
export function instanceAt(
  state: State,
  handle: number,
  id: string,
  definition: Definition,
): Instance {
  const instances = state.instances;
  instances.contexts.locate(handle);
  const lastEventId = instances.contexts.lastEventId(handle);
  return {
    id,
    machine: definition.machine.name,
    version: definition.version,
    state: definition.compiled.states[instances.state(handle)] as string,
    context: readPacked(
      definition.machine.shapes,
      instances.contexts.bytes,
      instances.contexts.start,
      instances.contexts.end,
    ) as Data,
    createdAt: instances.createdAt(handle),
    updatedAt: instances.updatedAt(handle),
    offset: instances.offset(handle),
    ...(lastEventId === undefined ? {} : { lastEventId }),
    deleted: (instances.flags(handle) & ROW_FLAG.deleted) !== 0,
  };
}
