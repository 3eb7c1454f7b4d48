/**
 * Opening: options checked, the log read and folded in one pass, what the fold cannot accept
 * reported as CORRUPT, and the store handed out only when everything in it was verified.
 */
import { badRequest, isStoreError, StoreError } from '../base/errors.ts';
import { MemoryLog } from '../storage/memory-log.ts';
import { State } from '../state/state.ts';
import type {
  ReadOptions,
  ReadStore,
  RecoveryReport,
  Store,
  StoreOptions,
  VerifyReport,
} from './api/store.ts';
import { type Settings, settingsOf } from './options.ts';
import { Pipeline } from './pipeline.ts';
import { Retention } from './retention.ts';
import { WritableStore } from './store.ts';
import type { Ticket } from './ticket.ts';

/** Bytes of the key that ids are hashed with. */
const HASH_KEY_BYTES = 8;

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
  options?:
    | StoreOptions
    | (ReadOptions & { readOnly?: boolean | undefined; follow?: boolean | undefined }),
): Promise<Store | ReadStore> {
  if (typeof location !== 'string' || location.length === 0 || location.includes('\0')) {
    throw badRequest(
      "location must be a directory or ':memory:'",
      'location',
      'non-empty string without NUL',
    );
  }
  const isReadOnly = options?.readOnly === true || options?.follow === true;
  const settings = settingsOf(options as StoreOptions | undefined, isReadOnly);
  if (options?.follow === true)
    throw new StoreError('UNSUPPORTED', 'following a live store is not supported yet', {
      details: { path: 'options.follow' },
    });
  return openMemory(settings);
}

function newPipeline(settings: Settings, onFailure: (error: StoreError) => void): Pipeline {
  return new Pipeline({
    state: new State(settings.random.bytes(HASH_KEY_BYTES)),
    clock: settings.clock,
    thread: settings.thread,
    retention: new Retention(settings),
    onFailure,
  });
}

async function openMemory(settings: Settings): Promise<Store> {
  let store: WritableStore | undefined;
  const pipeline = newPipeline(settings, (error) => store?.degraded(error));
  const log = new MemoryLog<Ticket | undefined>(pipeline, settings.thread, settings.maxPending);
  pipeline.connect(log);
  pipeline.state.machines.isLive = true;
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
  store = new WritableStore(
    {
      location: ':memory:',
      storeId,
      state: pipeline.state,
      recovery,
      logger: settings.logger,
      verify,
    },
    settings,
    pipeline,
    log,
  );
  return store;
}

export { isStoreError };
