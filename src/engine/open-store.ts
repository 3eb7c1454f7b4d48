/**
 * Opening: options checked, then a directory for writing (open-files.ts), one for reading
 * (open-frozen.ts), or a store in memory.
 */
import { badRequest, StoreError } from '../base/errors.ts';
import { MemoryLog } from '../storage/memory-log.ts';
import type {
  ReadOptions,
  ReadStore,
  RecoveryReport,
  Store,
  StoreOptions,
  VerifyReport,
} from './api/store.ts';
import { newState } from './new-state.ts';
import { openFiles } from './open-files.ts';
import { openFrozen } from './open-frozen.ts';
import { type Settings, settingsOf } from './options.ts';
import { checkLocation } from './place.ts';
import { Pipeline } from './pipeline.ts';
import type { Opened } from './read-store.ts';
import { timeTravel } from './time-travel/time-travel.ts';
import { Retention } from './retention.ts';
import { WritableStore } from './store.ts';
import type { Ticket } from './ticket.ts';

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

async function openMemory(settings: Settings): Promise<Store> {
  const { clock, thread, logger, maxPending, random } = settings;
  let store: WritableStore | undefined;
  const pipeline = new Pipeline({
    state: newState(random),
    clock,
    thread,
    retention: new Retention(settings),
    listener: {
      degraded: (error) => store?.degraded(error),
      recovered: () => store?.recovered(),
      applied: () => undefined,
    },
  });
  const log = new MemoryLog<Ticket | undefined>(pipeline, thread, maxPending);
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
  const opened: Opened = {
    location: ':memory:',
    storeId: Buffer.from(random.bytes(16)).toString('hex'),
    state: pipeline.state,
    recovery,
    logger,
    verify,
    travel: timeTravel(settings, { state: pipeline.state, storeId: '', source: undefined }),
  };
  pipeline.connect(log);
  pipeline.state.machines.isLive = true;
  store = new WritableStore(opened, settings, pipeline, log);
  return store;
}
