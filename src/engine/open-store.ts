/**
 * Opening: options checked, the log read and folded in one pass, what does not fold reported as
 * CORRUPT, and the store handed out only when everything in it was verified.
 */
import { badRequest, isStoreError, StoreError } from '../base/errors.ts';
import { MemoryLog } from '../storage/memory-log.ts';
import { State } from '../state/state.ts';
import { openLogWriter } from '../../wal/open-writer.ts';
import { scanLive } from '../../wal/scan-live.ts';
import type { OnFrame } from '../../wal/scan-report.ts';
import type {
  ReadOptions,
  ReadStore,
  RecoveryReport,
  Store,
  StoreOptions,
  VerifyReport,
} from './api/store.ts';
import { type Settings, settingsOf } from './options.ts';
import { checkLocation } from './place.ts';
import { type EngineLog, Pipeline, type PipelineListener } from './pipeline.ts';
import { FrozenStore, type Opened } from './read-store.ts';
import { Retention } from './retention.ts';
import { WritableStore } from './store.ts';
import type { Ticket } from './ticket.ts';
import { verifyStore } from './verify-store.ts';

/** Bytes of the key that ids are hashed with. */
const HASH_KEY_BYTES = 8;

type AnyOptions = Omit<StoreOptions, 'readOnly' | 'follow'> & {
  readOnly?: boolean | undefined;
  follow?: boolean | undefined;
};

/**
 * Opens a directory (created if absent) for writing, or ':memory:'.
 *
 * @param location a directory; ':memory:' keeps everything in memory and forgets it on close.
 * @throws {StoreError} STORE_LOCKED - another process, or another handle in this one, has it open for writing.
 * @throws {StoreError} CORRUPT - damage that cannot be a torn last write; nothing was changed.
 * @throws {StoreError} BAD_REQUEST, WAL_IO_ERROR, FORMAT_UNSUPPORTED; NOT_FOUND when opened read-only and absent.
 * @example
 * const store = await openStore('./data', { durability: 'always' });
 */
export function openStore(location: string, options?: StoreOptions): Promise<Store>;
/** Opens without the lock and without any way to write: the state as the log has it now. */
export function openStore(
  location: string,
  options: ReadOptions &
    (
      | { readOnly: true; follow?: boolean | undefined }
      | { readOnly?: true | undefined; follow: true }
    ),
): Promise<ReadStore>;
export async function openStore(
  location: string,
  options?: AnyOptions,
): Promise<Store | ReadStore> {
  checkLocation(location);
  for (const name of ['readOnly', 'follow'] as const) {
    const value: unknown = options?.[name];
    if (value !== undefined && typeof value !== 'boolean')
      throw badRequest(`options.${name} must be a boolean`, `options.${name}`, 'boolean');
  }
  const isReadOnly = options?.readOnly === true || options?.follow === true;
  const settings = settingsOf(options, isReadOnly);
  if (options?.follow === true)
    throw new StoreError('UNSUPPORTED', 'following a live store is not supported yet', {
      details: { path: 'options.follow' },
    });
  if (isReadOnly) return openFrozen(location, settings);
  return location === ':memory:' ? openMemory(settings) : openFiles(location, settings);
}

/** A store opened to read has nobody to tell. */
const noListener: PipelineListener = { degraded: () => undefined, recovered: () => undefined };

function newPipeline(settings: Settings, listener: PipelineListener): Pipeline {
  return new Pipeline({
    state: new State(settings.random.bytes(HASH_KEY_BYTES)),
    clock: settings.clock,
    thread: settings.thread,
    retention: new Retention(settings),
    listener,
  });
}

/** Hands the pipeline its log, and the store both. */
function assemble(
  opened: Opened,
  settings: Settings,
  pipeline: Pipeline,
  log: EngineLog,
): WritableStore {
  pipeline.connect(log);
  pipeline.state.machines.isLive = true;
  return new WritableStore(opened, settings, pipeline, log);
}

async function openMemory(settings: Settings): Promise<Store> {
  let store: WritableStore | undefined;
  const pipeline = newPipeline(settings, {
    degraded: (error) => store?.degraded(error),
    recovered: () => store?.recovered(),
  });
  const log = new MemoryLog<Ticket | undefined>(pipeline, settings.thread, settings.maxPending);
  const recovery: RecoveryReport = {
    snapshotOffset: 0,
    recordsReplayed: 0,
    segments: 0,
    bytesTruncated: 0,
    durationMs: 0,
  };
  const verify = async (): Promise<VerifyReport> => ({
    ok: true,
    lastOffset: pipeline.state.offset,
    problems: [],
  });
  const storeId = Buffer.from(settings.random.bytes(16)).toString('hex');
  const opened: Opened = {
    location: ':memory:',
    storeId,
    state: pipeline.state,
    recovery,
    logger: settings.logger,
    verify,
  };
  store = assemble(opened, settings, pipeline, log);
  return store;
}

async function openFiles(location: string, settings: Settings): Promise<Store> {
  let store: WritableStore | undefined;
  const pipeline = newPipeline(settings, {
    degraded: (error) => store?.degraded(error),
    recovered: () => store?.recovered(),
  });
  const {
    fileIo,
    clock,
    thread,
    random,
    logger,
    durability,
    segmentBytes,
    maxPending,
    strict,
    blockingSync,
  } = settings;
  const log = await openLogWriter<Ticket | undefined>(location, {
    fileIo,
    clock,
    thread,
    random,
    logger,
    durability,
    segmentBytes,
    maxPending,
    strict,
    blockingPath: blockingSync,
    sink: pipeline,
    onFrame: folding(pipeline),
  });
  const {
    recordsReplayed,
    segments,
    bytesTruncated,
    firstBadOffset,
    durationMs,
    storeId,
    strayFiles,
  } = log.recovery;
  const recovery = {
    snapshotOffset: 0,
    recordsReplayed,
    segments,
    bytesTruncated,
    ...(firstBadOffset === undefined ? {} : { firstBadOffset }),
    durationMs,
  };
  if (bytesTruncated > 0)
    logger.log('warn', 'a torn tail was dropped', { location, bytesTruncated, firstBadOffset });
  if (strayFiles.length > 0)
    logger.log('info', 'files that are none of the store were left alone', {
      location,
      strayFiles,
    });
  const opened: Opened = {
    location,
    storeId: Buffer.from(storeId).toString('hex'),
    state: pipeline.state,
    recovery,
    logger,
    verify: () => verifyStore(location, { fileIo }),
  };
  store = assemble(opened, settings, pipeline, log);
  return store;
}

async function openFrozen(location: string, settings: Settings): Promise<ReadStore> {
  const { fileIo, thread, logger } = settings;
  const startedAt = thread.monotonicMs();
  const pipeline = newPipeline(settings, noListener);
  const onFrame = folding(pipeline);
  const { report, recovery: found } = await scanLive(fileIo, location, { onFrame });
  const { segments, recordsRead, bytesTruncated, firstBadOffset } = found;
  const recovery: RecoveryReport = {
    snapshotOffset: 0,
    recordsReplayed: recordsRead,
    segments,
    bytesTruncated,
    ...(firstBadOffset === undefined ? {} : { firstBadOffset }),
    recordsUnattested: found.recordsUnattested,
    strayFiles: found.strayFiles,
    durationMs: thread.monotonicMs() - startedAt,
  };
  const storeId = Buffer.from(report.manifest.state.storeId).toString('hex');
  const verify = (): Promise<VerifyReport> => verifyStore(location, { fileIo });
  return new FrozenStore({ location, storeId, state: pipeline.state, recovery, logger, verify });
}

/** The fold as the reader of a log calls it: a RangeError tells it that what passed its checksums makes no sense. */
function folding(pipeline: Pipeline): OnFrame {
  return (bytes, start, end, firstOffset) => {
    try {
      pipeline.replay(bytes, start, end, firstOffset);
    } catch (error) {
      if (isStoreError(error, 'FORMAT_UNSUPPORTED')) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new RangeError(`record ${pipeline.state.offset + 1}: ${why}`, { cause: error });
    }
  };
}
