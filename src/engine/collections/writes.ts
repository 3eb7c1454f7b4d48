/**
 * Calls that write to collections, each a promise and one commit: arguments, key, checks, log, and an
 * answer when the commit may be shown. A write never throws, it rejects.
 */
import { createHash } from 'node:crypto';
import { ByteWriter } from '../../base/bytes.ts';
import { badRequest, StoreError } from '../../base/errors.ts';
import { KEY_SCOPE } from '../../instance/scoped-key.ts';
import { encodeCollection, encodeDropCollection } from '../../record/encode-vectors.ts';
import { fingerprint } from '../../value/fingerprint.ts';
import { writeValue } from '../../value/write-value.ts';
import { differenceOf } from '../../vector/config.ts';
import type { DeletedVectors, MetadataOptions } from '../api/collection.ts';
import type { WriteOptions } from '../api/instance.ts';
import { Call, inheritedFrom, METADATA_OPTIONS } from '../call.ts';
import { OneTicket } from '../decide/tickets.ts';
import type { Replay } from '../decide/replay.ts';
import type { Outcome } from '../outcome.ts';
import type { Pipeline } from '../pipeline.ts';
import { asRefusal, checkName, withSignal } from '../write-options.ts';
import { checkConfig } from './check-config.ts';
import type { Place, VectorCommands } from './commands.ts';
import { type CheckedEntry, checkEntries, checkIds, checkMetadata } from './entry-input.ts';
import { checkBound, checkScope } from './scope.ts';

/** A call whose arguments were read: what it must not meet, and what it writes. */
interface Prepared<T> {
  /** For the fingerprint of a key. */
  readonly key: unknown;
  check(): void;
  log(): T;
}

export class CollectionWrites {
  private readonly pipeline: Pipeline;
  private readonly commands: VectorCommands;
  private readonly replay: Replay;
  private readonly outcome: Outcome;
  private readonly call: Call;
  private readonly scratch = new ByteWriter(1024);

  constructor(pipeline: Pipeline, commands: VectorCommands, replay: Replay, outcome: Outcome) {
    this.pipeline = pipeline;
    this.commands = commands;
    this.replay = replay;
    this.outcome = outcome;
    this.call = new Call(pipeline.notes);
  }

  // ---- collections -------------------------------------------------------------------------------

  /** `mayExist`: with the same configuration that is fine. */
  create(name: string, config: unknown, mayExist: boolean): Promise<void> {
    return this.run<void>(undefined, () => {
      checkName(name, 'name');
      const given = checkConfig(config);
      const { collections } = this.pipeline.state;
      const before = (): ReturnType<typeof collections.decided> => collections.decided(name);
      return {
        key: null,
        check: () => {
          const existing = before();
          if (existing === undefined) return;
          if (!mayExist)
            throw new StoreError('COLLECTION_EXISTS', `a collection ${quote(name)} exists`, {
              details: { collection: name },
            });
          const path = differenceOf(existing.given, given);
          if (path === undefined) return;
          const message = `collection ${quote(name)} exists with another configuration: ${path} differs`;
          throw new StoreError('CONFLICT', message, {
            details: { reason: 'configuration', path: `config.${path}` },
          });
        },
        log: () => {
          if (before() !== undefined) return;
          const { records, notes } = this.pipeline;
          this.scratch.position = 0;
          writeValue(this.scratch, given, 'config');
          const offset = records.nextOffset;
          const writer = records.open();
          const number = collections.nextNumber;
          encodeCollection(writer, records.time, number, name, notes, this.scratch);
          records.close(undefined, false);
          collections.addWaiting(name, given, offset);
        },
      };
    });
  }

  drop(name: string): Promise<boolean> {
    return this.run<boolean>(undefined, () => {
      checkName(name, 'name');
      const { collections } = this.pipeline.state;
      return {
        key: null,
        check: () => undefined,
        log: () => {
          const { records, notes } = this.pipeline;
          const existing = collections.decided(name);
          if (existing === undefined) return false;
          const offset = records.nextOffset;
          encodeDropCollection(records.open(), records.time, existing.number, notes);
          records.close(undefined, false);
          collections.dropWaitingFor(existing, offset);
          return true;
        },
      };
    });
  }

  // ---- entries -----------------------------------------------------------------------------------

  put(
    place: Place,
    input: unknown,
    options: WriteOptions | undefined,
    isUpsert: boolean,
  ): Promise<string[]> {
    return this.run<string[]>(options, () => {
      const entries = checkEntries(input, this.pipeline.now, place.scope);
      return {
        key: [isUpsert ? 'upsert' : 'insert', ...keyOf(place), ...entries.map(argumentOf)],
        check: () => this.commands.checkPut(place, entries, isUpsert),
        log: () => this.commands.logPut(place, entries),
      };
    });
  }

  updateMetadata(
    place: Place,
    id: string,
    metadata: unknown,
    options: MetadataOptions | undefined,
  ): Promise<void> {
    return this.run<void>(
      options,
      () => {
        checkName(id, 'id');
        const bytes = checkMetadata(metadata, 'metadata');
        const replaces = checkMode(options?.mode);
        return {
          key: ['metadata', ...keyOf(place), id, replaces, lanesOf(bytes)],
          check: () => this.commands.checkMetadata(place, id, bytes, replaces),
          log: () => this.commands.logMetadata(place, id, bytes, replaces),
        };
      },
      METADATA_OPTIONS,
    );
  }

  delete(place: Place, input: unknown, options: WriteOptions | undefined): Promise<DeletedVectors> {
    return this.run<DeletedVectors>(options, () => {
      const ids = checkIds(input);
      return {
        key: ['delete', ...keyOf(place), ...ids],
        check: () => void this.commands.collection(place.name),
        log: () => this.commands.logDelete(place, ids),
      };
    });
  }

  deleteScope(place: Place, input: unknown, options: WriteOptions | undefined): Promise<number> {
    return this.run<number>(options, () => {
      const scope = checkScope(input, 'scope');
      checkBound(scope, 'scope', place.scope);
      return {
        key: ['deleteScope', ...keyOf(place), scope],
        check: () => void this.commands.collection(place.name),
        log: () => this.commands.logDeleteScope(place, scope),
      };
    });
  }

  // ---- the order of things -------------------------------------------------------------------------

  private run<T>(
    options: WriteOptions | undefined,
    prepare: () => Prepared<T>,
    others: readonly string[] = [],
  ): Promise<T> {
    const { pipeline, call } = this;
    const { records } = pipeline;
    let isRead = false;
    let prepared: Prepared<T>;
    try {
      records.admit();
      records.readClock();
      prepared = this.read(options, prepare, others);
      isRead = true;
      const first = this.firstResult<T>(prepared.key);
      if (first !== undefined) return withSignal(first, call.signal);
      prepared.check();
      records.openGroup();
    } catch (error) {
      return pipeline.answers.refuse(error, isRead);
    }
    const { key, at, signal, mustSync } = inheritedFrom(call);
    const lanes = Array.from(pipeline.notes.fingerprint);
    pipeline.notes.key = undefined;
    this.commands.given = at;
    try {
      const value = prepared.log();
      if (key !== undefined) this.outcome.log(KEY_SCOPE.vectors, key, value, lanes);
      return withSignal(this.commit(value, mustSync), signal);
    } catch (error) {
      records.abortGroup();
      return pipeline.answers.refuse(error, true);
    }
  }

  private read<T>(
    options: WriteOptions | undefined,
    prepare: () => Prepared<T>,
    others: readonly string[],
  ): Prepared<T> {
    const { records } = this.pipeline;
    records.startReading();
    try {
      this.call.read(options, others);
      return prepare();
    } catch (error) {
      throw asRefusal(error, 'arguments');
    } finally {
      records.endReading();
    }
  }

  private firstResult<T>(key: unknown): Promise<T> | undefined {
    const { notes } = this.pipeline;
    if (notes.key === undefined) return undefined;
    this.scratch.position = 0;
    writeValue(this.scratch, key, 'arguments');
    fingerprint(this.scratch.bytes, 0, this.scratch.position, notes.fingerprint);
    return this.replay.find(
      KEY_SCOPE.vectors,
      '',
      this.call.mustSync,
      (first) => this.replay.value(first) as T,
    );
  }

  private commit<T>(value: T, mustSync: boolean): Promise<T> {
    const { pipeline } = this;
    const ticket = new OneTicket<T>(pipeline, { make: () => value }, mustSync);
    const offset = pipeline.records.nextOffset - 1;
    if (pipeline.records.commitGroup(ticket, mustSync)) return ticket.promise;
    return pipeline.answers.give(offset, mustSync, () => value);
  }
}

const quote = (text: string): string => JSON.stringify(text);

/** @throws {StoreError} BAD_REQUEST */
export function checkMode(mode: unknown): boolean {
  if (mode === undefined || mode === 'merge') return false;
  if (mode === 'replace') return true;
  throw badRequest("mode must be 'merge' or 'replace'", 'options.mode', "'merge' or 'replace'");
}

function keyOf({ name, scope }: Place): readonly unknown[] {
  return [name, scope ?? null];
}

/** An entry as the fingerprint of a key sees it. */
function argumentOf(entry: CheckedEntry): readonly unknown[] {
  const { id, vector, metadata, scope, eventTime, ttlMs, expiresAt } = entry;
  const expires = ttlMs ?? (expiresAt === Infinity ? null : expiresAt);
  return [
    id ?? null,
    createHash('sha256').update(vector).digest('base64'),
    metadata === undefined ? null : lanesOf(metadata),
    scope,
    Number.isNaN(eventTime) ? null : eventTime,
    ttlMs !== undefined,
    expires,
  ];
}

/** The order of fields makes no other metadata. */
function lanesOf(bytes: Uint8Array): readonly number[] {
  const lanes = new Uint32Array(2);
  fingerprint(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, lanes);
  return [...lanes];
}
