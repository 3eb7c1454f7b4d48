/**
 * Reads of single instances from the applied state: synchronous, from memory, never showing what a
 * power cut could take back. Ids of another machine read as absent where a machine is given.
 */
import { badRequest, StoreError } from '../base/errors.ts';
import { ROW_FLAG } from '../instance/row.ts';
import type { Definition } from '../instance/machine-store.ts';
import type { Data } from '../machine/definition.ts';
import { readPacked } from '../value/read-packed.ts';
import type { State } from '../state/state.ts';
import type { Explanation, Instance } from './api/instance.ts';
import { explainRefusal } from '../machine/transition.ts';
import { instanceAt } from './results.ts';
import { checkObject } from './write-options.ts';

export class Reads {
  readonly state: State;
  private isClosed = false;
  private readonly what: string;
  private readonly isOver: (deletedAtOffset: number) => boolean;

  /**
   * `isOver`: is an instance deleted by this record past its retention, purged or not? Then it is not shown.
   * `what` is read, for messages.
   */
  constructor(
    state: State,
    isOver: (deletedAtOffset: number) => boolean = () => false,
    what: string = 'the store',
  ) {
    this.state = state;
    this.isOver = isOver;
    this.what = what;
  }

  close(): void {
    this.isClosed = true;
  }

  /** @throws {StoreError} STORE_CLOSED */
  admit(): void {
    if (this.isClosed) throw new StoreError('STORE_CLOSED', `${this.what} is closed`);
  }

  /** Handle of an instance of this machine, deleted ones included; -1 when there is none. */
  find(id: string, machine: string | undefined): number {
    this.admit();
    if (typeof id !== 'string') throw badRequest('id must be a string', 'id', 'string');
    const handle = this.state.instances.ids.get(id);
    if (handle < 0 || machine === undefined) return handle;
    return this.definition(handle).machine.name === machine ? handle : -1;
  }

  get(
    id: string,
    machine: string | undefined,
    options: { deleted?: boolean | undefined } | undefined,
  ): Instance | undefined {
    if (options !== undefined) checkGetOptions(options);
    const handle = this.find(id, machine);
    if (handle < 0) return undefined;
    if (this.isDeleted(handle)) {
      if (options?.deleted !== true || this.isOver(this.state.instances.offset(handle)))
        return undefined;
    }
    return instanceAt(this.state, handle, id, this.definition(handle));
  }

  can(id: string, event: string, machine: string | undefined): boolean {
    const handle = this.living(id, machine);
    if (handle < 0) return false;
    const { compiled } = this.definition(handle);
    const eventIndex = compiled.eventIndex(event);
    const first =
      eventIndex < 0 ? -1 : compiled.first(this.state.instances.state(handle), eventIndex);
    if (first < 0) return false;
    return (
      compiled.transitions[first]?.guard === undefined ||
      compiled.firstPassing(first, this.context(handle)) >= 0
    );
  }

  permitted(id: string, machine: string | undefined): string[] {
    const handle = this.living(id, machine);
    if (handle < 0) return [];
    return this.definition(handle).compiled.permitted(
      this.state.instances.state(handle),
      this.context(handle),
    );
  }

  explain(id: string, event: string, machine: string | undefined): Explanation {
    const handle = this.find(id, machine);
    if (handle < 0 || this.isDeleted(handle)) return { outcome: 'not-found', deleted: handle >= 0 };
    const definition = this.definition(handle);
    const { compiled } = definition;
    const state = this.state.instances.state(handle);
    const context = this.context(handle);
    const eventIndex = compiled.eventIndex(event);
    const first = eventIndex < 0 ? -1 : compiled.first(state, eventIndex);
    if (first < 0)
      return {
        outcome: 'no-transition',
        state: compiled.states[state] as string,
        permitted: compiled.permitted(state, context),
      };
    const chosen = compiled.firstPassing(first, context);
    if (chosen < 0) return explainRefusal(compiled, first, context);
    return {
      outcome: 'allowed',
      from: compiled.states[state] as string,
      to: compiled.states[compiled.transitionTo[chosen] as number] as string,
    };
  }

  isDeleted(handle: number): boolean {
    return (this.state.instances.flags(handle) & ROW_FLAG.deleted) !== 0;
  }

  definition(handle: number): Definition {
    return this.state.machines.at(this.state.instances.definition(handle));
  }

  private living(id: string, machine: string | undefined): number {
    const handle = this.find(id, machine);
    return handle >= 0 && !this.isDeleted(handle) ? handle : -1;
  }

  private context(handle: number): Data {
    const instances = this.state.instances;
    instances.contexts.locate(handle);
    const { shapes } = this.definition(handle).machine;
    return readPacked(
      shapes,
      instances.contexts.bytes,
      instances.contexts.start,
      instances.contexts.end,
    ) as Data;
  }
}

/** @throws {StoreError} BAD_REQUEST */
function checkGetOptions(options: { deleted?: boolean | undefined }): void {
  for (const name in checkObject(options, 'options')) {
    if (name !== 'deleted') throw badRequest(`there is no option ${JSON.stringify(name)}`, name);
  }
}
