/** Options of a store: checked, with defaults. Absent = the default, Infinity = unlimited. */
import { type Clock, systemClock } from '../base/clock.ts';
import { badRequest } from '../base/errors.ts';
import type { FileIo } from '../base/file-io.ts';
import { guardedLogger, type Logger, silentLogger } from '../base/logger.ts';
import { nodeFileIo } from '../base/node-file-io.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { nodeThread, type Thread } from '../base/thread.ts';
import { GiB, HOUR_MS, KiB, MiB } from '../base/units.ts';
import { MAX_CATALOGUE_ENTRIES } from '../snapshot/catalogue.ts';
import { LIMITS as LOG_LIMITS } from '../../wal/format.ts';
import type { Durability } from '../../wal/ordered-log.ts';
import type { ReadOptions, StoreOptions } from './api/store.ts';
import { describe, ownFields } from './write-options.ts';

export interface Settings {
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly keyRetentionMs: number;
  readonly maxKeys: number;
  readonly maxKeyBytes: number;
  readonly mismatch: 'conflict' | 'first';
  readonly deletedRetentionMs: number;
  readonly maxMachineVersions: number;
  readonly maxPending: number;
  readonly blockingSync: boolean;
  readonly strict: boolean;
  readonly snapshots: SnapshotSettings;
  readonly verifyOnOpen: 'lazy' | 'full';
  readonly clock: Clock;
  readonly random: Random;
  readonly thread: Thread;
  readonly fileIo: FileIo;
  readonly logger: Logger;
}

/** When snapshots are taken by themselves, and what goes afterwards. */
export interface SnapshotSettings {
  /** Records between two; 0 = never by itself. */
  readonly interval: 'auto' | number;
  /** Log not covered by the newest snapshot above either starts one. */
  readonly maxWalSegments: number;
  readonly maxWalBytes: number;
  /** Is log that is not needed dropped by itself? */
  readonly isCompacting: boolean;
  /** Dropped log is moved aside instead of removed. */
  readonly isArchiving: boolean;
  readonly keep: number;
}

const READ_OPTIONS: readonly string[] = [
  'clock',
  'thread',
  'fileIo',
  'logger',
  'readOnly',
  'follow',
];
const WRITE_OPTIONS: readonly string[] = [
  ...READ_OPTIONS,
  'durability',
  'segmentBytes',
  'idempotency',
  'deletedRetentionMs',
  'maxMachineVersions',
  'random',
  'maxPending',
  'blockingSync',
  'strict',
  'snapshotInterval',
  'maxWalSegments',
  'maxWalBytes',
  'compaction',
  'archive',
  'keepSnapshots',
  'verifyOnOpen',
];
const IDEMPOTENCY_OPTIONS: readonly string[] = ['retentionMs', 'maxKeys', 'maxBytes', 'mismatch'];
/** @throws {StoreError} BAD_REQUEST - an unknown option, or a value out of range. */
export function settingsOf(
  options: StoreOptions | ReadOptions | undefined,
  isReadOnly: boolean,
): Settings {
  const given: StoreOptions = ownFields(options, 'options') ?? {};
  checkNames(given, isReadOnly ? READ_OPTIONS : WRITE_OPTIONS, 'options');
  const keys = ownFields(given.idempotency, 'options.idempotency') ?? {};
  checkNames(keys, IDEMPOTENCY_OPTIONS, 'options.idempotency');
  return {
    durability: durabilityOf(given.durability),
    segmentBytes: within(given.segmentBytes, 'segmentBytes', 4 * KiB, GiB, 64 * MiB),
    keyRetentionMs: limit(keys.retentionMs, 'idempotency.retentionMs', 24 * HOUR_MS),
    maxKeys: limit(keys.maxKeys, 'idempotency.maxKeys', 1_000_000),
    maxKeyBytes: limit(keys.maxBytes, 'idempotency.maxBytes', 512 * MiB),
    mismatch: oneOf(keys.mismatch, 'idempotency.mismatch', ['conflict', 'first']),
    deletedRetentionMs: limit(given.deletedRetentionMs, 'deletedRetentionMs', 24 * HOUR_MS),
    // GEN-4: of a limit on definitions, 0 is none.
    maxMachineVersions: limit(given.maxMachineVersions, 'maxMachineVersions', Infinity) || Infinity,
    maxPending: within(given.maxPending, 'maxPending', 1, Infinity, LOG_LIMITS.pendingCommands),
    blockingSync: flag(given.blockingSync, 'blockingSync', true),
    strict: flag(given.strict, 'strict', false),
    snapshots: snapshotsOf(given),
    verifyOnOpen: oneOf(given.verifyOnOpen, 'verifyOnOpen', ['lazy', 'full']),
    clock: port(given.clock, 'clock', 'now', systemClock),
    random: port(given.random, 'random', 'bytes', systemRandom),
    thread: port(given.thread, 'thread', 'nextTurn', nodeThread),
    fileIo: port(given.fileIo, 'fileIo', 'open', nodeFileIo),
    logger: guardedLogger(port(given.logger, 'logger', 'log', silentLogger)),
  };
}

function checkNames(given: object, known: readonly string[], path: string): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || known.includes(name)) continue;
    throw badRequest(`${path}.${name} is no option`, `${path}.${name}`);
  }
}

function snapshotsOf(given: StoreOptions): SnapshotSettings {
  const { snapshotInterval } = given;
  if (typeof snapshotInterval === 'string' && snapshotInterval !== 'auto') {
    const allowed = "'auto' or a number of records";
    const message = `options.snapshotInterval must be ${allowed}, not ${shown(snapshotInterval)}`;
    throw badRequest(message, 'options.snapshotInterval', allowed);
  }
  return {
    interval:
      snapshotInterval === 'auto' || snapshotInterval === undefined
        ? 'auto'
        : within(snapshotInterval, 'snapshotInterval', 0, Infinity, 0),
    maxWalSegments: within(given.maxWalSegments, 'maxWalSegments', 1, Infinity, Infinity),
    maxWalBytes: within(given.maxWalBytes, 'maxWalBytes', 1, Infinity, Infinity),
    isCompacting: flag(given.compaction, 'compaction', true),
    isArchiving: flag(given.archive, 'archive', false),
    keep: within(given.keepSnapshots, 'keepSnapshots', 1, MAX_CATALOGUE_ENTRIES, 2),
  };
}

function durabilityOf(value: unknown): Durability {
  if (value === undefined) return 'always';
  if (value === 'always' || value === 'os') return value;
  const path = 'options.durability';
  if (typeof value === 'object' && value !== null) {
    const [name, ...others] = Object.keys(value);
    if (others.length === 0 && (name === 'everyMs' || name === 'everyRecords')) {
      within((value as Record<string, unknown>)[name], `durability.${name}`, 1, 2 ** 31 - 1, 1);
      return value as Durability;
    }
  }
  throw badRequest(`${path} must be 'always', 'os', { everyMs } or { everyRecords }`, path);
}

function within(value: unknown, name: string, min: number, max: number, preset: number): number {
  if (value === undefined) return preset;
  const isNumber = Number.isInteger(value) || (value === Infinity && max === Infinity);
  if (isNumber && (value as number) >= min && (value as number) <= max) return value as number;
  throw badRequest(
    `options.${name} must be an integer from ${min} to ${max}, not ${shown(value)}`,
    `options.${name}`,
    `${min} to ${max}`,
  );
}

/** Told by the method every such port is called by: enough to find a mix-up at once, not at the first use. */
function port<T extends object>(
  given: T | undefined,
  name: string,
  method: keyof T & string,
  preset: T,
): T {
  if (given === undefined) return preset;
  const found: unknown = typeof given === 'object' ? (given as T | null)?.[method] : undefined;
  if (typeof found === 'function') return given;
  throw badRequest(
    `options.${name} must be an object with a method ${method}(), not ${shown(given)}`,
    `options.${name}`,
    `{ ${method}() }`,
  );
}

function limit(value: unknown, name: string, preset: number): number {
  return within(value, name, 0, Infinity, preset);
}

function flag(value: unknown, name: string, preset: boolean): boolean {
  if (value === undefined) return preset;
  if (typeof value === 'boolean') return value;
  throw badRequest(
    `options.${name} must be a boolean, not ${shown(value)}`,
    `options.${name}`,
    'boolean',
  );
}

function oneOf<const T extends string>(
  value: unknown,
  name: string,
  allowed: readonly [T, ...T[]],
): T {
  if (value === undefined) return allowed[0];
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw badRequest(
    `options.${name} must be ${allowed.join(' or ')}, not ${shown(value)}`,
    `options.${name}`,
    allowed.join(' or '),
  );
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : describe(value);
}
