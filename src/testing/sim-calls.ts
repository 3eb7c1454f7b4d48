/**
 * The system calls on open files of a simulated disk, for one process. A write is in the journal
 * from the moment it is made; that it was synced, when it comes back. A sync covers what was
 * written before it was asked for; one that fails gives it up.
 */
import {
  type Counted,
  type Done,
  type FileCalls,
  osError,
  type RawStat,
} from '../base/file-calls.ts';
import type { OpenMode } from '../base/file-io.ts';
import type { SimDisk } from './sim-disk.ts';
import type { Call, Outcome } from './sim-faults.ts';

interface OpenFile {
  readonly file: number;
  readonly path: string;
  readonly mode: OpenMode;
}

/** Virtual milliseconds a call takes at least, and at most besides; a sync may take longer. */
const CALL_MS = { least: 0.005, spread: 0.02, sync: 0.2 };

export class SimCalls implements FileCalls {
  private readonly disk: SimDisk;
  private readonly generation: number;
  private readonly files = new Map<number, OpenFile>();
  private nextFd = 3;

  constructor(disk: SimDisk) {
    this.disk = disk;
    this.generation = disk.generation;
  }

  open(file: number, path: string, mode: OpenMode): number {
    const fd = this.nextFd++;
    this.files.set(fd, { file, path, mode });
    this.disk.opened(file, 1);
    return fd;
  }

  /** Descriptors the process has open. */
  get openFiles(): number {
    return this.files.size;
  }

  /** Runs what a call does when its time comes, unless the process is dead by then. */
  later(outcome: Outcome | undefined, run: () => void, isSync: boolean = false): void {
    const { disk, generation } = this;
    const { scheduler } = disk;
    const unlessDead = (): void => {
      if (!disk.isDead(generation)) run();
    };
    if (scheduler === undefined) return void Promise.resolve().then(unlessDead);
    // The seed decides which of two calls comes back first.
    const spreadMs = isSync ? CALL_MS.sync : CALL_MS.spread;
    const tookMs = CALL_MS.least + scheduler.chance() * spreadMs;
    scheduler.after(tookMs + (outcome?.delayMs ?? 0), unlessDead);
  }

  read(
    fd: number,
    into: Uint8Array,
    start: number,
    length: number,
    position: number,
    done: Counted,
  ): void {
    if (this.isDead) return;
    const outcome = this.decide('read', fd);
    this.later(outcome, () => {
      let error: Error | null = null;
      let count = 0;
      try {
        count = this.readNow(fd, into, start, length, position, outcome);
      } catch (failure) {
        error = failure as Error;
      }
      done(error, count);
    });
  }

  readSync(fd: number, into: Uint8Array, start: number, length: number, position: number): number {
    this.checkAlive();
    return this.readNow(fd, into, start, length, position, this.decide('read', fd));
  }

  write(
    fd: number,
    from: Uint8Array,
    start: number,
    length: number,
    position: number,
    done: Counted,
  ): void {
    if (this.isDead) return;
    const outcome = this.decide('write', fd);
    const { entry, count, error } = this.begin(fd, from, start, length, position, outcome);
    const isSync = this.files.get(fd)?.mode === 'update-synced';
    this.later(
      outcome,
      () => {
        this.end(fd, entry, error);
        if (!this.isDead) done(error ?? null, count);
      },
      isSync,
    );
  }

  writeSync(fd: number, from: Uint8Array, start: number, length: number, position: number): number {
    this.checkAlive();
    const outcome = this.decide('write', fd);
    const { entry, count, error } = this.begin(fd, from, start, length, position, outcome);
    // It dies in the middle of the call.
    this.checkAlive();
    this.end(fd, entry, error);
    this.checkAlive();
    if (error !== undefined) throw error;
    return count;
  }

  fsync(fd: number, done: Done): void {
    this.fdatasync(fd, done);
  }

  fdatasync(fd: number, done: Done): void {
    if (this.isDead) return;
    const before = this.disk.journal.length;
    const outcome = this.decide('sync', fd);
    const end = (): void => {
      this.noteSync(fd, before, outcome);
      if (!this.isDead) done(outcome?.error ?? null);
    };
    this.later(outcome, end, true);
  }

  fsyncSync(fd: number): void {
    this.fdatasyncSync(fd);
  }

  fdatasyncSync(fd: number): void {
    this.checkAlive();
    const outcome = this.decide('sync', fd);
    this.noteSync(fd, this.disk.journal.length, outcome);
    this.checkAlive();
    if (outcome?.error !== undefined) throw outcome.error;
  }

  ftruncate(fd: number, length: number, done: Done): void {
    if (this.isDead) return;
    const { file, mode } = this.opened(fd);
    this.effect('truncate', fd, done, () => {
      if (mode === 'read') throw osError('EINVAL', 'not for writing');
      this.disk.add({ kind: 'truncate', file, length });
    });
  }

  fstat(
    fd: number,
    _options: { bigint: true },
    done: (error: Error | null, stats: RawStat) => void,
  ): void {
    if (this.isDead) return;
    const { file } = this.opened(fd);
    const content = this.disk.image.content(file);
    const stats: RawStat = {
      dev: 1n,
      ino: BigInt(file),
      // When the answer comes.
      get size() {
        return BigInt(content.length);
      },
      isFile: () => true,
      isDirectory: () => false,
    };
    const answer: Done = (error) => done(error, stats);
    this.effect('stat', fd, answer, () => undefined);
  }

  close(fd: number, done: Done): void {
    if (this.isDead) return;
    // As Linux does: the descriptor is gone even when close() reports an error.
    const outcome = this.decide('close', fd);
    this.disk.opened(this.opened(fd).file, -1);
    this.files.delete(fd);
    this.later(outcome, () => done(outcome?.error ?? null));
  }

  private noteSync(fd: number, before: number, outcome: Outcome | undefined): void {
    const { file } = this.opened(fd);
    if (outcome?.error === undefined || outcome.tookEffect === true)
      this.disk.journal.push({ kind: 'sync', file, before });
    else this.giveUp(file, before);
  }

  private giveUp(file: number, before: number): void {
    this.disk.journal.push({ kind: 'sync', file, before, failed: true });
  }

  private effect(call: Call, fd: number, done: Done, run: () => void): void {
    const outcome = this.decide(call, fd);
    this.later(outcome, () => {
      let error = outcome?.error ?? null;
      try {
        if (error === null || outcome?.tookEffect === true) run();
      } catch (failure) {
        error = failure as Error;
      }
      if (!this.isDead) done(error);
    });
  }

  private begin(
    fd: number,
    from: Uint8Array,
    start: number,
    length: number,
    position: number,
    outcome: Outcome | undefined,
  ): { entry: number; count: number; error: Error | undefined } {
    const { disk } = this;
    const { file, mode } = this.opened(fd);
    if (start + length > from.length) throw new RangeError('a write of more than its buffer has');
    if (mode === 'read') return { entry: -1, count: 0, error: osError('EBADF', 'not for writing') };
    let error = outcome?.error;
    let count = error === undefined || outcome?.tookEffect === true ? length : 0;
    if (outcome?.bytes !== undefined) count = Math.min(length, outcome.bytes);
    const grows = position + count - disk.image.content(file).length;
    if (count > 0 && grows > 0 && grows > disk.roomBytes) {
      count = Math.max(0, count - (grows - disk.roomBytes));
      if (count === 0) error ??= osError('ENOSPC', 'the simulated disk is full');
    }
    if (count === 0) return { entry: -1, count, error };
    const bytes = Uint8Array.prototype.slice.call(from, start, start + count);
    return { entry: disk.add({ kind: 'write', file, at: position, bytes }), count, error };
  }

  /** A write came back. */
  private end(fd: number, entry: number, error: Error | undefined): void {
    const { file, mode } = this.opened(fd);
    if (entry < 0 || mode !== 'update-synced') return;
    // Of the failed one some bytes may be in the cache, where no sync finds them again.
    if (error === undefined) this.disk.journal.push({ kind: 'durable', write: entry });
    else this.giveUp(file, entry + 1);
  }

  private readNow(
    fd: number,
    into: Uint8Array,
    start: number,
    length: number,
    position: number,
    outcome: Outcome | undefined,
  ): number {
    if (outcome?.error !== undefined) throw outcome.error;
    const wanted = Math.min(length, outcome?.bytes ?? length);
    return this.disk.image.content(this.opened(fd).file).read(into, start, wanted, position);
  }

  private decide(call: Call, fd: number): Outcome | undefined {
    const { disk } = this;
    if (disk.fault !== undefined) return disk.decide(call, this.pathOf(fd));
    disk.calls++;
    return undefined;
  }

  /** The name the file has now. */
  private pathOf(fd: number): string {
    const { file, path } = this.opened(fd);
    const { names } = this.disk.image;
    if (names.get(path) === file) return path;
    for (const [name, number] of names) if (number === file) return name;
    return path;
  }

  private opened(fd: number): OpenFile {
    const found = this.files.get(fd);
    if (found === undefined) throw osError('EBADF', `no descriptor ${fd}`);
    return found;
  }

  private get isDead(): boolean {
    return this.disk.isDead(this.generation);
  }

  private checkAlive(): void {
    if (this.isDead) throw osError('EDEAD', 'the simulated process is dead');
  }
}
