/**
 * Contexts that opening left in the snapshot file: read and verified behind everything else, in
 * slices, until all are in memory and the file can be closed. Whoever needs one earlier reads it
 * on the spot.
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
  private readonly step = (): void => this.run();

  constructor(options: LazyContextsOptions) {
    this.options = options;
  }

  /** 'damaged': some can never be read. */
  get contexts(): 'loading' | 'loaded' | 'damaged' {
    return this.status;
  }

  start(): void {
    this.options.thread.nextTurn(this.step);
  }

  private run(): void {
    if (this.isStopped) return;
    const { snapshot, thread, onBad, onBadIndex } = this.options;
    let hasMore: boolean;
    try {
      hasMore = snapshot.loadMore();
    } catch (cause) {
      // A disk that gives errors now may not do so later; readers meanwhile get the error themselves.
      if (isStoreError(cause, 'WAL_IO_ERROR')) {
        thread.delay(RETRY_MS, this.step);
        return;
      }
      this.status = 'damaged';
      onBad(asStoreError(cause, snapshot.path));
      return;
    }
    if (hasMore) {
      thread.nextTurn(this.step);
      return;
    }
    this.status = 'loaded';
    const { indexFailure } = snapshot;
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
