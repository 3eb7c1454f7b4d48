/**
 * The reserve: a file of zeros that keeps room on the disk for what must still be possible when
 * there is none left: to open the log, and to close it. Those give it up and repeat the step that
 * failed, once; it is made again later. Of its content only the length counts.
 *
 * Invariants: nothing waits for it, and nothing fails because of it; it has its name only when it
 * is whole, so a process that dies while making one leaves a `.new`, which the next one replaces.
 */
import { join } from 'node:path';
import { isStoreError } from '../src/base/errors.ts';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import type { Logger } from '../src/base/logger.ts';
import { KiB, MiB } from '../src/base/units.ts';
import { datasync, writeAll } from './file-write.ts';
import { RESERVE_BYTES } from './format.ts';
import { RESERVE_NAME, UNFINISHED_RESERVE_NAME } from './segment-name.ts';

const FILL_BYTES: number = 256 * KiB;
/** Dirty pages between two syncs: a sync of the commit path must not wait for much of ours. */
const FILL_SYNC_BYTES: number = 1 * MiB;
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** The size a log of so many bytes should have in reserve; 0: it is not worth a file. */
export function reserveBytesFor(logBytes: number): number {
  const { share, step, min, max } = RESERVE_BYTES;
  const bytes = Math.min(max, Math.floor(logBytes / share / step) * step);
  return bytes < min ? 0 : bytes;
}

/** Is it a full disk, or a quota, that made a file call fail? */
export function isNoRoom(error: unknown): boolean {
  if (isStoreError(error)) return NO_ROOM.has((error.details as { errno?: unknown }).errno);
  return NO_ROOM.has((error as { code?: unknown } | null)?.code);
}

export class Reserve {
  /** Of the finished file. */
  sizeBytes = 0;
  private readonly fileIo: FileIo;
  private readonly directory: string;
  private readonly logger: Logger;
  private readonly path: string;
  private readonly unfinished: string;
  private making: Promise<void> | undefined;
  /** What is being made is not wanted any more. */
  private isCancelled = false;
  private isStopped = false;
  /** A dead process may have left an unfinished one. */
  private mayHaveRemains = true;

  constructor(fileIo: FileIo, directory: string, logger: Logger) {
    this.fileIo = fileIo;
    this.directory = directory;
    this.logger = logger;
    this.path = join(directory, RESERVE_NAME);
    this.unfinished = join(directory, UNFINISHED_RESERVE_NAME);
  }

  /** Looks for what an earlier process left. */
  async find(): Promise<void> {
    try {
      const stat = await this.fileIo.stat(this.path);
      if (stat?.kind === 'file') this.sizeBytes = stat.sizeBytes;
    } catch (error) {
      this.note('debug', 'the reserve could not be looked at', { error });
    }
  }

  /** In the background: sees to it that there is one that fits a log of this size. It never shrinks. */
  want(logBytes: number): void {
    const bytes = reserveBytesFor(logBytes);
    if (this.isStopped || this.making !== undefined) return;
    if (!this.mayHaveRemains && !this.isWorthMaking(bytes)) return;
    this.isCancelled = false;
    this.making = this.make(bytes).finally(() => {
      this.making = undefined;
    });
  }

  /** A larger one is written whole: twice the size at least, so that all of them cost no more than the last one twice. */
  private isWorthMaking(bytes: number): boolean {
    return bytes > this.sizeBytes && (bytes >= 2 * this.sizeBytes || bytes === RESERVE_BYTES.max);
  }

  private async make(bytes: number): Promise<void> {
    try {
      await this.removeRemains();
      if (!this.isWorthMaking(bytes)) return;
      this.mayHaveRemains = true;
      if (await this.fill(bytes)) {
        await this.fileIo.rename(this.unfinished, this.path);
        this.mayHaveRemains = false;
        this.sizeBytes = bytes;
        await this.fileIo.syncDirectory(this.directory);
      } else await this.removeRemains();
    } catch (error) {
      this.note('debug', 'no reserve could be made', { bytes, error });
      await this.dropRemains();
    }
  }

  /** False when it was cancelled. */
  private async fill(bytes: number): Promise<boolean> {
    const handle = await this.fileIo.open(this.unfinished, 'create');
    try {
      const zeros = new Uint8Array(Math.min(FILL_BYTES, bytes));
      let unsynced = 0;
      for (let at = 0; at < bytes && !this.isCancelled; at += zeros.length) {
        const length = Math.min(zeros.length, bytes - at);
        await writeAll(handle, zeros, 0, length, at);
        unsynced += length;
        if (unsynced < FILL_SYNC_BYTES) continue;
        await datasync(handle);
        unsynced = 0;
      }
      if (this.isCancelled) return false;
      await handle.sync();
      return true;
    } finally {
      await this.close(handle);
    }
  }

  private async close(handle: FileHandle): Promise<void> {
    await handle.close().catch((error: unknown) => {
      this.note('debug', 'closing the reserve failed', { error });
    });
  }

  /**
   * Runs a step that must be possible on a full disk: if it finds no room, the reserve is given up
   * and the step is run once more. It must be one that may be repeated.
   */
  spend<R>(step: (isSecond: boolean) => Promise<R>): Promise<R> {
    return repeatable(step, () => this.release());
  }

  /** Runs a step that does not deserve the reserve, but must not fail because one is being made just now. */
  makeWay<R>(step: () => Promise<R>): Promise<R> {
    return repeatable(step, () => this.cancel());
  }

  /** Gives up what is being made. True when that gave room back. */
  private async cancel(): Promise<boolean> {
    const wasMaking = this.making !== undefined;
    this.isCancelled = true;
    await this.making;
    return (await this.dropRemains()) || wasMaking;
  }

  private async release(): Promise<boolean> {
    let hasFreed = await this.cancel();
    try {
      if ((await this.fileIo.stat(this.path))?.kind !== 'file') return hasFreed;
      await this.fileIo.remove(this.path);
      hasFreed = true;
      this.note('warn', 'there is no room on the disk: the reserve is given up', {
        bytes: this.sizeBytes,
      });
      this.sizeBytes = 0;
      await this.fileIo.syncDirectory(this.directory);
    } catch (error) {
      this.note('warn', 'giving up the reserve failed', { error });
    }
    return hasFreed;
  }

  /** True when there was one. */
  private async removeRemains(): Promise<boolean> {
    const { fileIo, unfinished } = this;
    const isThere = (await fileIo.stat(unfinished)) !== undefined;
    if (isThere) await fileIo.remove(unfinished);
    this.mayHaveRemains = false;
    return isThere;
  }

  private async dropRemains(): Promise<boolean> {
    try {
      return await this.removeRemains();
    } catch (error) {
      this.note('debug', 'an unfinished reserve could not be removed', { error });
      return false;
    }
  }

  /** Resolves when nothing is under way; none is made any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.isCancelled = true;
    await this.making;
  }

  private note(level: 'debug' | 'warn', message: string, fields: Record<string, unknown>): void {
    this.logger.log(level, message, { directory: this.directory, ...fields });
  }
}

async function repeatable<R>(
  step: (isSecond: boolean) => Promise<R>,
  makeRoom: () => Promise<boolean>,
): Promise<R> {
  try {
    return await step(false);
  } catch (error) {
    if (!isNoRoom(error) || !(await makeRoom())) throw error;
  }
  return step(true);
}
