/**
 * What opening left packed, or in the snapshot file: rows are unpacked in slices and contexts read and
 * verified in runs, side by side, until all are in memory and the file can be closed. Whoever needs
 * one earlier unpacks or reads it on the spot.
 */
import { StoreError, isStoreError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Thread } from '../../base/thread.ts';
import type { SnapshotFile } from '../../snapshot/snapshot-file.ts';

const RETRY_MS = 1000;

export interface LazyContextsOptions {
  readonly snapshot: SnapshotFile;
  readonly thread: Thread;
  readonly logger: Logger;
  /** A chunk is damaged: reads of what is in it fail from now on. */
  readonly onBad: (error: StoreError) => void;
  /** What the snapshot says of indexes is damaged: nothing is missing, they are built from the contexts. */
  readonly onBadIndex: (error: StoreError) => void;
}

export class LazyContexts {
  private readonly options: LazyContextsOptions;
  private isStopped = false;
  private closing: Promise<void> | undefined;
  private status: 'loading' | 'loaded' | 'damaged' = 'loading';
  /** Of unpacking and reading, how many are not done yet. */
  private left = 2;
  private readonly step = (): void => this.unpack();

  constructor(options: LazyContextsOptions) {
    this.options = options;
  }

  /** 'damaged': some can never be read. */
  get contexts(): 'loading' | 'loaded' | 'damaged' {
    return this.status;
  }

  start(): void {
    this.options.thread.nextTurn(this.step);
    void this.read();
  }

  private unpack(): void {
    if (this.isStopped) return;
    if (this.options.snapshot.unpackMore()) this.options.thread.nextTurn(this.step);
    else this.done();
  }

  private async read(): Promise<void> {
    if (this.isStopped) return;
    const { snapshot, thread, onBad } = this.options;
    try {
      await snapshot.loadContexts();
    } catch (cause) {
      if (this.isStopped) return;
      // A disk that gives errors now may not do so later; readers meanwhile get the error themselves.
      if (isStoreError(cause, 'WAL_IO_ERROR')) {
        thread.delay(RETRY_MS, () => void this.read());
        return;
      }
      this.status = 'damaged';
      onBad(asStoreError(cause, snapshot.path));
      return;
    }
    this.done();
  }

  private done(): void {
    if (--this.left > 0 || this.isStopped) return;
    const { snapshot, onBadIndex } = this.options;
    const { indexFailure } = snapshot;
    this.status = 'loaded';
    if (indexFailure !== undefined && !isStoreError(indexFailure, 'WAL_IO_ERROR'))
      onBadIndex(indexFailure);
    void this.stop();
  }

  /** What is not in memory by now cannot be read any more. */
  stop(): Promise<void> {
    this.isStopped = true;
    const { snapshot, logger } = this.options;
    this.closing ??= snapshot.close().catch((error: unknown) => {
      logger.log('warn', 'closing a snapshot failed', { path: snapshot.path, error });
    });
    return this.closing;
  }
}

function asStoreError(cause: unknown, path: string): StoreError {
  if (isStoreError(cause)) return cause;
  return new StoreError('INTERNAL_ERROR', `reading the contexts in '${path}' failed`, {
    details: { outcome: 'not-done' },
    cause,
  });
}
