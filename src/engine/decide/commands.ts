/**
 * Commands on instances: create, apply, delete. Each is decided against overlay and state in the
 * order of D-14 (arguments, key, existence, expectations, transition, guard, room), and only then
 * encoded: what is refused has left no trace. Outside a group each is a commit of its own.
 */
import type { ByteWriter } from '../../base/bytes.ts';
import type { Definition } from '../../instance/machine-store.ts';
import { encodeApply, encodeCreate, encodeDelete } from '../../record/encode.ts';
import type { Call } from '../call.ts';
import type { Pipeline } from '../pipeline.ts';
import { TransitionResult, newInstance } from '../results.ts';
import type { Ticket } from '../ticket.ts';
import { checkName } from '../write-options.ts';
import { CommandInput } from './command-input.ts';
import {
  checkExpected,
  exists,
  guardFailed,
  invalidTransition,
  notFound,
  unknownMachine,
} from './refusals.ts';
import type { Replay } from './replay.ts';
import { Target } from './target.ts';
import type {
  CommandOptions,
  CreateTicketFor,
  EventTicketFor,
  DeleteTicketFor,
} from './command-types.ts';
import { CreateTicket, DeletedMaker, EventTicket } from './tickets.ts';

export class Commands {
  readonly pipeline: Pipeline;
  readonly target: Target;
  readonly replay: Replay;
  /** What the caller passed, read and encoded. */
  readonly input: CommandInput;
  /** The options of the command being decided. */
  readonly call: Call;
  private readonly body: ByteWriter;

  constructor(pipeline: Pipeline, replay: Replay, options: CommandOptions) {
    this.pipeline = pipeline;
    this.replay = replay;
    this.target = new Target(pipeline.state, pipeline.overlay);
    this.input = new CommandInput(pipeline, options);
    this.call = this.input.call;
    this.body = this.input.body;
  }

  /**
   * Finds the instance a command is about: by id, or by a handle looked up before.
   * @throws {StoreError} BAD_REQUEST, INSTANCE_NOT_FOUND
   */
  locate(id: string, handle: number, machine: string | undefined, deletedToo: boolean): void {
    const { target } = this;
    const found = handle >= 0 ? target.load(handle) : typeof id === 'string' && target.find(id);
    if (!found) throw notFound(checkName(id, 'id'), false);
    const isOfOther = machine !== undefined && target.definition.machine.name !== machine;
    if (isOfOther) throw notFound(id, false);
    if (target.isDeleted && !deletedToo) throw notFound(id, true);
  }

  // ---- apply -----------------------------------------------------------------------------------

  /** The instance was found; which transition does the event take? @throws {StoreError} CONFLICT, INVALID_TRANSITION, GUARD_FAILED */
  decideEvent(id: string, event: string): number {
    const target = this.target;
    checkExpected(target, id, this.call);
    const compiled = target.definition.compiled;
    const eventIndex = compiled.eventIndex(event);
    const first = eventIndex < 0 ? -1 : compiled.first(target.state, eventIndex);
    if (first < 0) throw invalidTransition(target, id, event);
    target.checkSize(id, this.body);
    if (compiled.transitions[first]?.guard === undefined) return first;
    const context = target.context();
    const chosen = compiled.firstPassing(first, context);
    if (chosen < 0) throw guardFailed(target, id, event, first, context);
    return chosen;
  }

  /** Logs the event decided for the target, and lays it over the state. Gives its offset. */
  logEvent(
    id: string,
    transition: number,
    ticketFor: EventTicketFor | undefined,
    mustSync: boolean,
  ): number {
    const { pipeline, target, body } = this;
    const { notes } = pipeline;
    const { handle, definition } = target;
    const at = this.clampTime();
    const writer = pipeline.records.open();
    encodeApply(writer, pipeline.records.time, handle, transition, notes, body);
    const ticket =
      ticketFor === undefined
        ? undefined
        : ticketFor(this.eventTicket(id, transition, at, mustSync));
    const offset = pipeline.records.close(ticket, mustSync);
    const pending = pipeline.overlay.touch(handle, definition);
    pending.state = definition.compiled.transitionTo[transition] as number;
    pending.offset = offset;
    pending.updatedAt = at;
    if (notes.eventId !== undefined) pending.eventId = notes.eventId;
    pending.addPayload(body.bytes, 0, body.position);
    if (pending.needsFolding) this.foldPayloads(handle);
    if (notes.key !== undefined) this.keepKey(offset);
    return offset;
  }

  private eventTicket(id: string, transition: number, at: number, mustSync: boolean): EventTicket {
    const { pipeline, target } = this;
    const { definition, handle } = target;
    const offset = pipeline.records.nextOffset;
    const { eventId } = pipeline.notes;
    const result = new TransitionResult(id, definition, transition, at, offset, true, eventId);
    return new EventTicket(pipeline, result, handle, mustSync);
  }

  /** Time of the fact about the target: stored times never decrease within an instance, whatever clock or caller say. */
  private clampTime(): number {
    const { notes, now } = this.pipeline;
    const at = Math.max(notes.at ?? now, this.target.updatedAt);
    notes.at = at === now ? undefined : at;
    return at;
  }

  /** Many payloads wait for one instance: one takes their place. */
  private foldPayloads(handle: number): void {
    this.target.load(handle);
    this.body.position = 0;
    this.target.writeContext(this.body);
    const { pending } = this.target;
    if (pending !== undefined) this.pipeline.overlay.setContext(pending, this.body);
  }

  // ---- create ----------------------------------------------------------------------------------

  /** The definition the new instance gets. @throws {StoreError} INSTANCE_EXISTS, MACHINE_NOT_FOUND */
  decideCreate(id: string): Definition {
    const { target, pipeline } = this;
    const { machine, version } = this.input.wanted;
    if (target.find(id) && !this.isPurged(target)) throw exists(id, target.isDeleted);
    const { machines } = pipeline.state;
    const definition =
      version === undefined ? machines.latest(machine) : machines.find(machine, version);
    if (definition === undefined || !definition.isOffered) throw unknownMachine(machine, version);
    return definition;
  }

  /** A deleted instance past its retention is gone, even if nothing has said so yet. */
  private isPurged(target: Target): boolean {
    const { records } = this.pipeline;
    if (!target.isDeleted || target.pending !== undefined) return false;
    if (!records.isInstanceOver(target.offset)) return false;
    records.purgeInstanceFirst(target.offset);
    return true;
  }

  /** Logs the instance decided last, and lays it over the state. Gives its offset. */
  logCreate(
    id: string,
    definition: Definition,
    ticketFor: CreateTicketFor | undefined,
    mustSync: boolean,
  ): number {
    const { pipeline, target, body } = this;
    const { notes } = pipeline;
    const at = notes.at ?? pipeline.now;
    const writer = pipeline.records.open();
    const free = pipeline.state.instances.free;
    const handle = free.peekNext();
    encodeCreate(writer, pipeline.records.time, handle, definition.index, id, notes, body);
    let ticket: Ticket | undefined;
    if (ticketFor !== undefined) {
      const result = newInstance(id, definition, at, pipeline.records.nextOffset);
      const { shapes } = definition.machine;
      ticket = ticketFor(new CreateTicket(pipeline, result, shapes, handle, mustSync));
    }
    const offset = pipeline.records.close(ticket, mustSync);
    free.take();
    pipeline.overlay.add(handle, id, target.idHash, definition, at, offset, body);
    if (notes.key !== undefined) this.keepKey(offset);
    return offset;
  }

  // ---- delete ----------------------------------------------------------------------------------

  logDelete(id: string, ticketFor: DeleteTicketFor | undefined, mustSync: boolean): number {
    const { pipeline, target } = this;
    const { notes } = pipeline;
    const { handle, definition } = target;
    const at = this.clampTime();
    const writer = pipeline.records.open();
    encodeDelete(writer, pipeline.records.time, handle, notes);
    const ticket = ticketFor?.(new DeletedMaker(id), mustSync);
    const offset = pipeline.records.close(ticket, mustSync);
    const pending = pipeline.overlay.touch(handle, definition);
    pending.isDeleted = true;
    pending.offset = offset;
    pending.updatedAt = at;
    if (notes.key !== undefined) this.keepKey(offset);
    return offset;
  }

  // ---- groups, keys ------------------------------------------------------------------------------------

  private keepKey(offset: number): void {
    const [low, high] = this.pipeline.notes.fingerprint;
    this.pipeline.overlay.addKey(this.replay.scoped, low as number, high as number, offset);
  }
}
