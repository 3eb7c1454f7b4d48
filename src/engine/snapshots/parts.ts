/** What the snapshots of a store work with; open-files.ts puts it together. */
import type { StoreError } from '../../base/errors.ts';
import type { FileIo } from '../../base/file-io.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Thread } from '../../base/thread.ts';
import type { CatalogueEntry } from '../../snapshot/catalogue.ts';
import type { LogWriter } from '../../../wal/writer.ts';
import type { SnapshotSettings } from '../options.ts';
import type { Ticket } from '../ticket.ts';
import type { SnapshotRunner } from './runner.ts';

export interface TakenSnapshot {
  readonly offset: number;
  readonly bytes: number;
}

export interface SnapshotParts {
  readonly log: LogWriter<Ticket | undefined>;
  readonly fileIo: FileIo;
  /** As the caller named it, for messages; and where the files are. */
  readonly location: string;
  readonly directory: string;
  readonly thread: Thread;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: SnapshotSettings;
  readonly runner: SnapshotRunner;
  /** What the manifest names, oldest first; of those, offsets of the ones that cannot be used. */
  readonly entries: readonly CatalogueEntry[];
  readonly bad: readonly number[];
  /** Payload bytes of the log that opening replayed. */
  readonly replayedBytes: number;
  readonly onSnapshot: (taken: TakenSnapshot & { readonly durationMs: number }) => void;
  readonly onCompaction: (dropped: {
    readonly segments: number;
    readonly bytesFreed: number;
  }) => void;
  /** A snapshot that counted turned out to be damaged. */
  readonly onBad: (error: StoreError) => void;
}
