/**
 * Entry point `pawl/wal`: the segmented, checksummed log under the store, usable alone. Records are
 * bytes; what they mean is the caller's.
 *
 * @example
 * import { openLog } from 'pawl/wal';
 * const log = await openLog('./audit');
 * await log.append(new TextEncoder().encode('door opened'));
 * await log.close();
 */
export type { Clock } from '../src/base/clock.ts';
export type { Thread } from '../src/base/thread.ts';
export { isStoreError, StoreError } from '../src/base/errors.ts';
export type { AnyStoreError, ErrorCode, ErrorDetails, StoreErrorOf } from '../src/base/errors.ts';
export type { DirectoryLock, FileHandle, FileIo, FileStat, OpenMode } from '../src/base/file-io.ts';
export type { Logger, LogLevel } from '../src/base/logger.ts';
export type { Random } from '../src/base/random.ts';
export type {
  AppendOptions,
  FollowOptions,
  Log,
  LogOptions,
  LogPage,
  LogReader,
  LogRecord,
  LogStats,
  OpenReport,
  ReadLogOptions,
  ReadRange,
  Truncation,
} from './log-types.ts';
export { openLog } from './open-log.ts';
export type { Durability } from './ordered-log.ts';
export { repairLog } from './repair.ts';
export type { RepairLogOptions, RepairReport } from './repair.ts';
export { scan } from './scan-records.ts';
export type { ScanLogOptions, ScanSegment, ScanSummary } from './scan-records.ts';
export { verifyLog } from './verify.ts';
export type { LogReport, VerifyLogOptions } from './verify.ts';
