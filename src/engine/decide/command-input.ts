/**
 * What callers pass to commands, read from their objects exactly once, checked, and encoded: the
 * options into the annotations of the record, payload or context into `body`. Nothing has been looked
 * up yet, and nothing here depends on what is stored.
 */
import { ByteWriter } from '../../base/bytes.ts';
import { badRequest } from '../../base/errors.ts';
import { fingerprint } from '../../value/fingerprint.ts';
import { isMap } from '../../value/structure.ts';
import { writeContext, writeValue } from '../../value/write-value.ts';
import type { ApplyOptions, CreateInput, WriteOptions } from '../api/instance.ts';
import type { ApplyOperation, CreateOperation, DeleteOperation } from '../batch-input.ts';
import { BOUND_CREATE_FIELDS, Call, CREATE_FIELDS, type Inherited } from '../call.ts';
import type { Pipeline } from '../pipeline.ts';
import { asRefusal, checkName, checkObject, checkVersion } from '../write-options.ts';
import type { BoundMachine, CommandOptions } from './command-types.ts';

/** An empty array header and the arguments behind it: what a key's fingerprint is taken of. */
const ARRAY_OF_TWO = 0x92;
const ARRAY_OF_THREE = 0x93;
const NIL = 0xc0;
const NO_CONTEXT: object = Object.freeze({});

export class CommandInput {
  /** The options of the command. */
  readonly call: Call;
  /** Its payload or context, as MessagePack. */
  readonly body: ByteWriter = new ByteWriter(1024);
  /** What prepareCreate() read. */
  readonly wanted: { machine: string; version: number | undefined } = {
    machine: '',
    version: undefined,
  };
  private readonly pipeline: Pipeline;
  private readonly options: CommandOptions;
  private readonly argumentBytes = new ByteWriter(1024);

  constructor(pipeline: Pipeline, options: CommandOptions) {
    this.pipeline = pipeline;
    this.options = options;
    this.call = new Call(pipeline.notes);
  }

  /** Checks and encodes what the caller passed. @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
  prepareEvent(event: unknown, payload: unknown, options: ApplyOptions | undefined): void {
    this.pipeline.records.startReading();
    try {
      checkEvent(event);
      if (options === undefined) this.call.clear();
      else this.call.readEvent(options);
      this.encodePayload(payload);
    } catch (error) {
      throw asRefusal(error, 'options');
    } finally {
      this.pipeline.records.endReading();
    }
    this.finishEvent(event, payload);
  }

  /** The same for an operation of a batch. @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
  prepareApplyOf(operation: ApplyOperation, group: Inherited): void {
    const { event, payload } = operation;
    this.pipeline.records.startReading();
    try {
      checkEvent(event);
      this.call.inherit(group, operation.idempotencyKey);
      this.call.readExpectations(operation);
      this.encodePayload(payload);
    } catch (error) {
      throw asRefusal(error, 'options');
    } finally {
      this.pipeline.records.endReading();
    }
    this.finishEvent(event, payload);
  }

  private encodePayload(payload: unknown): void {
    this.body.position = 0;
    if (payload !== undefined) writeValue(this.body, payload, 'payload');
  }

  private finishEvent(event: string, payload: unknown): void {
    if (this.options.strict && payload !== undefined && !isMap(this.body.bytes[0] as number)) {
      throw badRequest('payload must be an object (strict)', 'payload', 'object');
    }
    if (this.pipeline.notes.key === undefined) return;
    this.startArguments(ARRAY_OF_TWO, event);
    if (this.body.position === 0) this.argumentBytes.u8(NIL);
    this.takeFingerprint();
  }

  /** Gives the id. `bound`: the machine of a typed handle; else the input names it. @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
  prepareCreate(bound: BoundMachine | undefined, input: Partial<CreateInput> | undefined): string {
    const { pipeline } = this;
    let id: string | undefined;
    pipeline.records.startReading();
    try {
      checkObject(input, 'input');
      this.want(bound === undefined ? input : bound);
      id = checkId(input?.id);
      this.call.read(input, bound === undefined ? CREATE_FIELDS : BOUND_CREATE_FIELDS);
      this.encodeContext(input?.context);
    } catch (error) {
      throw asRefusal(error, 'input');
    } finally {
      pipeline.records.endReading();
    }
    return this.finishCreate(id);
  }

  /** The same for an operation of a batch. @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
  prepareCreateOf(operation: CreateOperation, group: Inherited): string {
    const { pipeline } = this;
    let id: string | undefined;
    pipeline.records.startReading();
    try {
      this.want(operation);
      id = checkId(operation.id);
      this.call.inherit(group, operation.idempotencyKey);
      this.encodeContext(operation.context);
    } catch (error) {
      throw asRefusal(error, 'input');
    } finally {
      pipeline.records.endReading();
    }
    return this.finishCreate(id);
  }

  private want(input: { machine?: string; version?: number | undefined } | undefined): void {
    const { wanted } = this;
    wanted.machine = checkName(input?.machine, 'machine');
    wanted.version = checkVersion(input?.version);
  }

  private encodeContext(context: object | undefined): void {
    this.body.position = 0;
    writeContext(this.body, context ?? NO_CONTEXT, 'context');
  }

  private finishCreate(id: string | undefined): string {
    const { pipeline, wanted } = this;
    if (pipeline.notes.key !== undefined) {
      this.startArguments(ARRAY_OF_THREE, id ?? null);
      writeValue(this.argumentBytes, wanted.version ?? null, 'version');
      this.takeFingerprint();
    }
    return id ?? this.options.newId(pipeline.now);
  }

  /** @throws {StoreError} BAD_REQUEST, TIMEOUT */
  prepareDelete(options: WriteOptions | undefined): void {
    this.prepareGroup(options);
    this.pipeline.notes.fingerprint.fill(0);
  }

  /** The same for an operation of a batch. @throws {StoreError} BAD_REQUEST */
  prepareDeleteOf(operation: DeleteOperation, group: Inherited): void {
    this.call.inherit(group, operation.idempotencyKey);
    this.pipeline.notes.fingerprint.fill(0);
  }

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
}

/** @throws {StoreError} BAD_REQUEST */
function checkEvent(event: unknown): asserts event is string {
  if (typeof event !== 'string') throw badRequest('event must be a string', 'event', 'string');
}

/** @throws {StoreError} BAD_REQUEST */
function checkId(id: unknown): string | undefined {
  return id === undefined ? undefined : checkName(id, 'id');
}
