/**
 * One open file: a plain descriptor driven with callbacks, over the system calls of node:fs or
 * those of a simulated disk. A write costs one system call and no allocation of ours, because its
 * request object is used again. libuv repeats most calls that EINTR broke off; what still arrives
 * as EINTR or EAGAIN is retried within bounds. A failed sync is never repeated: the kernel may have
 * dropped the pages by then, and the success of a second call would mean nothing.
 */
import * as nodeFs from 'node:fs';
import {
  type Counted,
  type Done,
  type FileCalls,
  MAX_CALL_BYTES,
  MAX_STALLS,
  isInterruption,
  needsFullSync,
  osError,
  statOf,
} from './file-calls.ts';
import type { FileHandle, FileStat } from './file-io.ts';
import { nodeThread } from './thread.ts';

/** One write or datasync on its way. The handle keeps it for the next one. */
class Request {
  private readonly file: NodeFileHandle;
  private from: Uint8Array | undefined;
  private start = 0;
  private rest = 0;
  private position = 0;
  private stalls = 0;
  private done: Done | undefined;
  private readonly onWritten: Counted = (error, count) => this.written(error, count);
  private readonly onSynced: Done = (error) => this.finish(error);

  constructor(file: NodeFileHandle) {
    this.file = file;
  }

  write(from: Uint8Array, start: number, length: number, position: number, done: Done): void {
    this.from = from;
    this.start = start;
    this.rest = length;
    this.position = position;
    this.stalls = 0;
    this.done = done;
    this.submit(from);
  }

  datasync(done: Done): void {
    this.done = done;
    const { calls, fd } = this.file;
    if (needsFullSync) calls.fsync(fd, this.onSynced);
    else calls.fdatasync(fd, this.onSynced);
  }

  private submit(from: Uint8Array): void {
    const { calls, fd } = this.file;
    const length = this.rest < MAX_CALL_BYTES ? this.rest : MAX_CALL_BYTES;
    try {
      calls.write(fd, from, this.start, length, this.position, this.onWritten);
    } catch (error) {
      // Node throws for arguments out of range; `done` is still owed exactly one answer.
      nodeThread.afterMicrotasks(() => this.finish(error as Error));
    }
  }

  private written(error: Error | null, count: number): void {
    if (error && !isInterruption(error)) return this.finish(error);
    const progress = error ? 0 : count;
    this.start += progress;
    this.position += progress;
    this.rest -= progress;
    if (this.rest === 0) return this.finish(null);
    this.stalls = progress > 0 ? 0 : this.stalls + 1;
    if (this.stalls === MAX_STALLS) return this.finish(error ?? this.file.noProgress());
    this.submit(this.from as Uint8Array);
  }

  /** Goes back to the handle first, so that `done` may start the next write with this very object. */
  private finish(error: Error | null): void {
    const done = this.done as Done;
    this.done = undefined;
    this.from = undefined;
    this.file.giveBack(this);
    done(error || null);
  }
}

export class NodeFileHandle implements FileHandle {
  readonly path: string;
  /** @internal */
  readonly calls: FileCalls;
  /** @internal -1 once closed: a late call must not reach a descriptor that is another file's by now. */
  fd: number;
  private spare: Request | undefined;
  private inFlight = 0;
  private closing: Promise<void> | undefined;
  private onIdle: (() => void) | undefined;

  constructor(path: string, fd: number, calls: FileCalls) {
    this.path = path;
    this.fd = fd;
    this.calls = calls;
  }

  write(from: Uint8Array, fromStart: number, length: number, position: number, done: Done): void {
    this.borrow(done)?.write(from, fromStart, length, position, done);
  }

  datasync(done: Done): void {
    this.borrow(done)?.datasync(done);
  }

  writeSync(from: Uint8Array, fromStart: number, length: number, position: number): void {
    this.checkOpen();
    let written = 0;
    for (let stalls = 0; written < length;) {
      let count = 0;
      let failure: Error | undefined;
      const rest = Math.min(length - written, MAX_CALL_BYTES);
      try {
        count = this.calls.writeSync(this.fd, from, fromStart + written, rest, position + written);
      } catch (error) {
        if (!isInterruption(error)) throw error;
        failure = error as Error;
      }
      written += count;
      stalls = count > 0 ? 0 : stalls + 1;
      if (stalls === MAX_STALLS) throw failure ?? this.noProgress();
    }
  }

  datasyncSync(): void {
    this.checkOpen();
    if (needsFullSync) this.calls.fsyncSync(this.fd);
    else this.calls.fdatasyncSync(this.fd);
  }

  read(into: Uint8Array, intoStart: number, length: number, position: number): Promise<number> {
    return this.run<number>((resolve, reject) => {
      let got = 0;
      let stalls = 0;
      const more = (): void => {
        const rest = Math.min(length - got, MAX_CALL_BYTES);
        this.calls.read(this.fd, into, intoStart + got, rest, position + got, step);
      };
      const step: Counted = (error, count) => {
        if (error) {
          if (!isInterruption(error) || ++stalls === MAX_STALLS) reject(error);
          else more();
          return;
        }
        stalls = 0;
        got += count;
        if (count === 0 || got === length) resolve(got);
        else more();
      };
      more();
    });
  }

  readSync(into: Uint8Array, intoStart: number, length: number, position: number): number {
    this.checkOpen();
    let got = 0;
    for (let stalls = 0; got < length;) {
      const rest = Math.min(length - got, MAX_CALL_BYTES);
      try {
        const count = this.calls.readSync(this.fd, into, intoStart + got, rest, position + got);
        if (count === 0) break;
        got += count;
        stalls = 0;
      } catch (error) {
        if (!isInterruption(error) || ++stalls === MAX_STALLS) throw error;
      }
    }
    return got;
  }

  sync(): Promise<void> {
    return this.run<void>((resolve, reject) => {
      this.calls.fsync(this.fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  truncate(length: number): Promise<void> {
    return this.run<void>((resolve, reject) => {
      this.calls.ftruncate(this.fd, length, (error) => (error ? reject(error) : resolve()));
    });
  }

  stat(): Promise<FileStat> {
    return this.run<FileStat>((resolve, reject) => {
      this.calls.fstat(this.fd, { bigint: true }, (error, stats) => {
        if (error) reject(error);
        else resolve(statOf(stats));
      });
    });
  }

  /** Waits for calls on their way: closed under a write, the descriptor could be another file's. */
  close(): Promise<void> {
    this.closing ??= this.closeWhenIdle();
    return this.closing;
  }

  private async closeWhenIdle(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => (this.onIdle = resolve));
    const fd = this.fd;
    this.fd = -1;
    await new Promise<void>((resolve, reject) => {
      this.calls.close(fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** @internal A request that is through; one is kept for the next call. */
  giveBack(request: Request): void {
    this.spare = request;
    this.settle();
  }

  /** A request to use, or undefined after promising `done` the news that the file is closed. */
  private borrow(done: Done): Request | undefined {
    if (this.closing !== undefined) {
      nodeThread.afterMicrotasks(() => done(this.closedError()));
      return undefined;
    }
    this.inFlight++;
    const request = this.spare ?? new Request(this);
    this.spare = undefined;
    return request;
  }

  private run<T>(
    start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    if (this.closing !== undefined) return Promise.reject(this.closedError());
    this.inFlight++;
    return new Promise<T>(start).finally(() => this.settle());
  }

  private settle(): void {
    if (--this.inFlight === 0) this.onIdle?.();
  }

  /** @internal */
  noProgress(): Error {
    return osError('EIO', `write without progress, '${this.path}'`);
  }

  private checkOpen(): void {
    if (this.closing !== undefined) throw this.closedError();
  }

  private closedError(): Error {
    return osError('EBADF', `file is closed, '${this.path}'`);
  }
}

/** Opens a file with flags as open(2) has them. */
export function openFile(
  path: string,
  flags: number,
  calls: FileCalls = nodeFs,
): Promise<NodeFileHandle> {
  return new Promise((resolve, reject) => {
    nodeFs.open(path, flags, (error, fd) => {
      if (error) reject(error);
      else resolve(new NodeFileHandle(path, fd, calls));
    });
  });
}
