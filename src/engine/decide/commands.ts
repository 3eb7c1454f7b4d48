/**
 * Commands on instances: create, apply, delete. Each is decided against overlay and state in the
 * order of D-14 (arguments, key, existence, expectations, transition, guard, room), and only then
 * encoded: what is refused has left no trace. Outside a group each is a commit of its own.
 */
import { ByteWriter } from '../../base/bytes.ts';
import { badRequest } from '../../base/errors.ts';
import type { Definition } from '../../instance/machine-store.ts';
import { encodeApply, encodeCreate, encodeDelete } from '../../record/encode.ts';
import { fingerprint } from '../../value/fingerprint.ts';
import { isMap } from '../../value/structure.ts';
import { writeContext, writeValue } from '../../value/write-value.ts';
import type { ApplyOptions, CreateInput, Deleted, WriteOptions } from '../api/instance.ts';
import { CreatedResult, TransitionResult } from '../results.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Ticket } from '../ticket.ts';
import { BOUND_CREATE_FIELDS, Call, CREATE_FIELDS } from '../call.ts';
import { asRefusal, checkName, checkObject, checkVersion } from '../write-options.ts';
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
  BoundMachine,
  CommandOptions,
  CreateTicketFor,
  EventTicketFor,
  TicketFor,
} from './command-types.ts';
import { DeletedMaker, type EventTicket, InstanceTicket } from './tickets.ts';

/** An empty array header and the arguments behind it: what a key's fingerprint is taken of. */
const ARRAY_OF_TWO = 0x92;
const ARRAY_OF_THREE = 0x93;
const NIL = 0xc0;
const NO_CONTEXT: object = Object.freeze({});

export class Commands {
  readonly pipeline: Pipeline;
  readonly target: Target;
  readonly replay: Replay;
  /** The options of the command being decided. */
  readonly call: Call;
  private readonly options: CommandOptions;
  /** Payload or context of the command, as MessagePack. */
  private readonly body = new ByteWriter(1024);
  private readonly argumentBytes = new ByteWriter(1024);
  /** What prepareCreate() read. */
  readonly wanted: { machine: string; version: number | undefined } = {
    machine: '',
    version: undefined,
  };

  constructor(pipeline: Pipeline, replay: Replay, options: CommandOptions) {
    this.pipeline = pipeline;
    this.replay = replay;
    this.options = options;
    this.target = new Target(pipeline.state, pipeline.overlay);
    this.call = new Call(pipeline.notes);
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

  /** Checks and encodes what the caller passed. @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
  prepareEvent(event: unknown, payload: unknown, options: ApplyOptions | undefined): void {
    this.pipeline.records.startReading();
    try {
      if (typeof event !== 'string') throw badRequest('event must be a string', 'event', 'string');
      if (options === undefined) this.call.clear();
      else this.call.readEvent(options);
      this.body.position = 0;
      if (payload !== undefined) writeValue(this.body, payload, 'payload');
    } catch (error) {
      throw asRefusal(error, 'options');
    } finally {
      this.pipeline.records.endReading();
    }
    if (this.options.strict && payload !== undefined && !isMap(this.body.bytes[0] as number)) {
      throw badRequest('payload must be an object (strict)', 'payload', 'object');
    }
    if (this.pipeline.notes.key === undefined) return;
    this.startArguments(ARRAY_OF_TWO, event);
    if (this.body.position === 0) this.argumentBytes.u8(NIL);
    this.takeFingerprint();
  }

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
    return new InstanceTicket(pipeline, result, handle, mustSync);
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

  /** Gives the id. `bound`: the machine of a typed handle; else the input names it. @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
  prepareCreate(bound: BoundMachine | undefined, input: Partial<CreateInput> | undefined): string {
    const { pipeline, wanted } = this;
    let id: string | undefined;
    pipeline.records.startReading();
    try {
      checkObject(input, 'input');
      wanted.machine = checkName(bound === undefined ? input?.machine : bound.machine, 'machine');
      wanted.version = checkVersion(bound === undefined ? input?.version : bound.version);
      const given = input?.id;
      if (given !== undefined) id = checkName(given, 'id');
      this.call.read(input, bound === undefined ? CREATE_FIELDS : BOUND_CREATE_FIELDS);
      this.body.position = 0;
      writeContext(this.body, input?.context ?? NO_CONTEXT, 'context');
    } catch (error) {
      throw asRefusal(error, 'input');
    } finally {
      pipeline.records.endReading();
    }
    if (pipeline.notes.key !== undefined) {
      this.startArguments(ARRAY_OF_THREE, id ?? null);
      writeValue(this.argumentBytes, wanted.version ?? null, 'version');
      this.takeFingerprint();
    }
    return id ?? this.options.newId(pipeline.now);
  }

  /** The definition the new instance gets. @throws {StoreError} INSTANCE_EXISTS, MACHINE_NOT_FOUND */
  decideCreate(id: string): Definition {
    const { target, pipeline } = this;
    const { machine, version } = this.wanted;
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
      const result = new CreatedResult(id, definition, at, pipeline.records.nextOffset);
      ticket = ticketFor(new InstanceTicket(pipeline, result, handle, mustSync));
    }
    const offset = pipeline.records.close(ticket, mustSync);
    free.take();
    pipeline.overlay.add(handle, id, target.idHash, definition, at, offset, body);
    if (notes.key !== undefined) this.keepKey(offset);
    return offset;
  }

  // ---- delete ----------------------------------------------------------------------------------

  /** @throws {StoreError} BAD_REQUEST, TIMEOUT */
  prepareDelete(options: WriteOptions | undefined): void {
    this.prepareGroup(options);
    this.pipeline.notes.fingerprint.fill(0);
  }

  logDelete(id: string, ticketFor: TicketFor<Deleted> | undefined, mustSync: boolean): number {
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

  /** The options of a whole transaction or batch. @throws {StoreError} BAD_REQUEST, TIMEOUT */
  prepareGroup(options: WriteOptions | undefined): void {
    this.pipeline.records.startReading();
    try {
      this.call.read(options);
    } catch (error) {
      throw asRefusal(error, 'options');
    } finally {
      this.pipeline.records.endReading();
    }
  }

  private startArguments(header: number, first: string | null): void {
    this.argumentBytes.position = 0;
    this.argumentBytes.u8(header);
    writeValue(this.argumentBytes, first, 'arguments');
  }

  private takeFingerprint(): void {
    const all = this.argumentBytes;
    all.raw(this.body.bytes, 0, this.body.position);
    fingerprint(all.bytes, 0, all.position, this.pipeline.notes.fingerprint);
  }

  private keepKey(offset: number): void {
    const [low, high] = this.pipeline.notes.fingerprint;
    this.pipeline.overlay.addKey(this.replay.scoped, low as number, high as number, offset);
  }
}
