/**
 * A FileIo around another one, with a hook before every call: it may let the call pass, make it
 * fail, hold it back, or end the process half way through a write.
 */
import type { FileHandle, FileIo } from '../../src/base/file-io.ts';

export type CallKind =
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'close'
  | 'stat'
  | 'list'
  | 'mkdir'
  | 'rename'
  | 'remove'
  | 'syncdir'
  | 'lock'
  | 'unlock';

/** Calls that change what is on the disk, or when it is safe there. */
export const CHANGING: ReadonlySet<CallKind> = new Set<CallKind>([
  'create',
  'write',
  'sync',
  'truncate',
  'mkdir',
  'rename',
  'remove',
  'syncdir',
  'lock',
  'unlock',
]);

export interface Hooks {
  /** Before a call. An error is what the call ends with; `writeHalf` writes the first half of its bytes now. */
  before?(kind: CallKind, path: string, writeHalf?: () => void): Error | undefined;
  /** A call has done what it does, and nobody was told yet. */
  after?(kind: CallKind, path: string): void;
  /** A call that is not blocking starts only when this resolves. */
  hold?(kind: CallKind, path: string): Promise<void> | undefined;
}

export function osError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

export function hookedIo(io: FileIo, hooks: Hooks, hasSyncedWrites = io.hasSyncedWrites): FileIo {
  const check = (kind: CallKind, path: string, writeHalf?: () => void): void => {
    const error = hooks.before?.(kind, path, writeHalf);
    if (error !== undefined) throw error;
  };
  const pass = async <R>(kind: CallKind, path: string, run: () => Promise<R>): Promise<R> => {
    await hooks.hold?.(kind, path);
    check(kind, path);
    const result = await run();
    hooks.after?.(kind, path);
    return result;
  };
  const hookedLock = async (path: string): ReturnType<FileIo['lockDirectory']> => {
    const answer = await io.lockDirectory(path);
    if (!('release' in answer)) return answer;
    return {
      isHeld: () => answer.isHeld(),
      release: () => pass('unlock', path, () => answer.release()),
    };
  };
  return {
    kind: io.kind,
    hasSyncedWrites,
    open: (path, mode) =>
      pass(mode === 'create' ? 'create' : 'open', path, async () =>
        hookedHandle(await io.open(path, mode), hooks, check),
      ),
    stat: (path) => pass('stat', path, () => io.stat(path)),
    list: (path) => pass('list', path, () => io.list(path)),
    makeDirectory: (path) => pass('mkdir', path, () => io.makeDirectory(path)),
    rename: (from, to) => pass('rename', to, () => io.rename(from, to)),
    remove: (path) => pass('remove', path, () => io.remove(path)),
    syncDirectory: (path) => pass('syncdir', path, () => io.syncDirectory(path)),
    resolve: (path) => io.resolve(path),
    lockDirectory: (path) => pass('lock', path, () => hookedLock(path)),
  };
}

type Check = (kind: CallKind, path: string, writeHalf?: () => void) => void;
type Done = (error: Error | null) => void;

function hookedHandle(handle: FileHandle, hooks: Hooks, check: Check): FileHandle {
  const { path } = handle;
  const half = (from: Uint8Array, start: number, length: number, at: number) => (): void =>
    handle.writeSync(from, start, length >> 1, at);
  const pass = async <R>(kind: CallKind, run: () => Promise<R>): Promise<R> => {
    await hooks.hold?.(kind, path);
    check(kind, path);
    const result = await run();
    hooks.after?.(kind, path);
    return result;
  };
  /** As the port has it: the answer comes through `done`, never out of the call itself. */
  const start = (
    kind: CallKind,
    done: Done,
    run: (ended: Done) => void,
    writeHalf?: () => void,
  ): void => {
    const ended: Done = (error) => {
      if (error === null) hooks.after?.(kind, path);
      done(error);
    };
    const begin = (): void => {
      try {
        check(kind, path, writeHalf);
      } catch (error) {
        setImmediate(() => done(error as Error));
        return;
      }
      run(ended);
    };
    const held = hooks.hold?.(kind, path);
    if (held === undefined) begin();
    else void held.then(begin);
  };
  return {
    path,
    read: (into, from, length, at) => pass('read', () => handle.read(into, from, length, at)),
    readSync(into, from, length, at) {
      check('read', path);
      return handle.readSync(into, from, length, at);
    },
    write: (from, at, length, position, done) =>
      start(
        'write',
        done,
        (ended) => handle.write(from, at, length, position, ended),
        half(from, at, length, position),
      ),
    writeSync(from, at, length, position) {
      check('write', path, half(from, at, length, position));
      handle.writeSync(from, at, length, position);
      hooks.after?.('write', path);
    },
    datasync: (done) => start('sync', done, (ended) => handle.datasync(ended)),
    datasyncSync() {
      check('sync', path);
      handle.datasyncSync();
      hooks.after?.('sync', path);
    },
    sync: () => pass('sync', () => handle.sync()),
    truncate: (length) => pass('truncate', () => handle.truncate(length)),
    stat: () => pass('stat', () => handle.stat()),
    close: () => pass('close', () => handle.close()),
  };
}
