/**
 * A FileIo around another one that numbers every call and makes chosen ones fail: before they take
 * effect, after it, or half way through a write; once, for a while, or for good. It knows by which
 * name a file goes now, and which handles are open.
 */
import type { DirectoryLock, FileHandle, FileIo } from '../../../../src/base/file-io.ts';
import { type CallKind, CHANGING, isPlausible } from './plausible.ts';

export interface Fault {
  /** Number of the first call that fails. */
  readonly at: number;
  readonly errno: string;
  readonly effect: 'before' | 'after' | 'half';
  /** `healed`: the first few calls of its kind. `persistent`: every call this error is plausible for. */
  readonly mode: 'once' | 'healed' | 'persistent';
}

export interface IoCall {
  readonly index: number;
  readonly kind: CallKind;
  readonly path: string;
  /** In which period of the run it was made, see `period`. */
  readonly period: string;
  readonly isHit: boolean;
}

/** How many calls fail until a fault of mode `healed` is over. */
const HEALED_AFTER = 3;

type Done = (error: Error | null) => void;
interface Named {
  path: string;
}

function osError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

export class FaultyIo {
  readonly calls: IoCall[] = [];
  readonly hits: IoCall[] = [];
  /** Names of the files that are open. */
  readonly open: Set<Named> = new Set<Named>();
  readonly io: FileIo;
  /** Said with every call made from now on. */
  period = '';
  /** Calls are numbered, and may fail. */
  isArmed = true;
  private fault: Fault | undefined;
  private readonly below: FileIo;

  constructor(below: FileIo, fault?: Fault) {
    this.below = below;
    this.fault = fault;
    this.io = this.wrapped();
  }

  /** No call fails any more. */
  heal(): void {
    this.fault = undefined;
  }

  /** Could a call that is made now fail? */
  get isOver(): boolean {
    const { fault, hits } = this;
    if (fault === undefined) return true;
    if (fault.mode === 'persistent' || this.calls.length <= fault.at) return false;
    return fault.mode === 'once' || hits.length >= HEALED_AFTER;
  }

  private next(kind: CallKind, path: string): Fault | undefined {
    if (!this.isArmed) return undefined;
    const index = this.calls.length;
    const { fault } = this;
    const isHit = fault !== undefined && this.fails(fault, index, kind);
    const call = { index, kind, path, period: this.period, isHit };
    this.calls.push(call);
    if (!isHit) return undefined;
    this.hits.push(call);
    const isAfter = fault.effect === 'after' && CHANGING.has(kind);
    const isHalf = fault.effect === 'half' && kind === 'write';
    return { ...fault, effect: isAfter ? 'after' : isHalf ? 'half' : 'before' };
  }

  private fails(fault: Fault, index: number, kind: CallKind): boolean {
    if (index === fault.at) return true;
    if (index < fault.at || fault.mode === 'once') return false;
    if (fault.mode === 'persistent') return isPlausible(kind, fault.errno);
    return this.hits.length < HEALED_AFTER && kind === this.hits[0]?.kind;
  }

  private async run<R>(kind: CallKind, path: string, call: () => Promise<R>): Promise<R> {
    const fault = this.next(kind, path);
    if (fault?.effect === 'before') throw osError(fault.errno);
    const result = await call();
    if (fault !== undefined) throw osError(fault.errno);
    return result;
  }

  private runSync<R>(kind: CallKind, path: string, call: () => R): R {
    const fault = this.next(kind, path);
    if (fault?.effect === 'before') throw osError(fault.errno);
    const result = call();
    if (fault !== undefined) throw osError(fault.errno);
    return result;
  }

  /** As the port has it: the answer comes through `done`, once, never out of the call itself. */
  private start(fault: Fault | undefined, done: Done, call: (done: Done) => void): void {
    if (fault === undefined) return call(done);
    const error = osError(fault.errno);
    if (fault.effect === 'after') call(() => done(error));
    else queueMicrotask(() => done(error));
  }

  private wrapped(): FileIo {
    const { below } = this;
    return {
      kind: below.kind,
      hasSyncedWrites: below.hasSyncedWrites,
      open: async (path, mode) => {
        const kind = mode === 'create' ? 'create' : mode === 'read' ? 'open' : 'reopen';
        return this.handle(await this.run(kind, path, () => below.open(path, mode)));
      },
      stat: (path) => this.run('stat', path, () => below.stat(path)),
      list: (path) => this.run('list', path, () => below.list(path)),
      makeDirectory: (path) => this.run('mkdir', path, () => below.makeDirectory(path)),
      rename: (from, to) =>
        this.run('rename', to, async () => {
          await below.rename(from, to);
          for (const file of this.open) if (file.path === from) file.path = to;
        }),
      remove: (path) => this.run('remove', path, () => below.remove(path)),
      syncDirectory: (path) => this.run('syncdir', path, () => below.syncDirectory(path)),
      resolve: (path) => this.run('resolve', path, () => below.resolve(path)),
      lockDirectory: (path) => this.lock(path),
    };
  }

  /** Whoever fails to lock has no lock, however far it came; a file that is gone answers, and does not fail. */
  private async lock(path: string): Promise<DirectoryLock | { heldBy: number | undefined }> {
    const fault = this.next('lock', path);
    if (fault !== undefined) throw osError(fault.errno);
    const lock = await this.below.lockDirectory(path);
    if ('heldBy' in lock) return lock;
    return {
      isHeld: async () => {
        const looking = this.next('held', path);
        if (looking?.errno === 'ENOENT') return false;
        if (looking !== undefined) throw osError(looking.errno);
        return lock.isHeld();
      },
      release: () => this.run('unlock', path, () => lock.release()),
    };
  }

  private handle(file: FileHandle): FileHandle {
    const named = { path: file.path };
    this.open.add(named);
    return {
      path: file.path,
      read: (into, from, length, at) =>
        this.run('read', named.path, () => file.read(into, from, length, at)),
      readSync: (into, from, length, at) =>
        this.runSync('read', named.path, () => file.readSync(into, from, length, at)),
      write: (from, start, length, at, done) => {
        const fault = this.next('write', named.path);
        if (fault?.effect === 'half') file.writeSync(from, start, length >> 1, at);
        this.start(fault, done, (end) => file.write(from, start, length, at, end));
      },
      writeSync: (from, start, length, at) => {
        const fault = this.next('write', named.path);
        if (fault?.effect === 'half') file.writeSync(from, start, length >> 1, at);
        if (fault === undefined || fault.effect === 'after')
          file.writeSync(from, start, length, at);
        if (fault !== undefined) throw osError(fault.errno);
      },
      datasync: (done) =>
        this.start(this.next('sync', named.path), done, (end) => file.datasync(end)),
      datasyncSync: () => this.runSync('sync', named.path, () => file.datasyncSync()),
      sync: () => this.run('sync', named.path, () => file.sync()),
      truncate: (length) => this.run('truncate', named.path, () => file.truncate(length)),
      stat: () => this.run('fstat', named.path, () => file.stat()),
      close: () => {
        // The descriptor is gone whatever close() says.
        this.open.delete(named);
        return this.run('close', named.path, () => file.close());
      },
    };
  }
}
