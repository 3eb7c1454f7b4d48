/** When a snapshot is due by itself: pure arithmetic over what was written since the last one. */
import type { SnapshotSettings } from '../options.ts';

/** Log that the newest snapshot does not cover, and what there is to compare it with. */
export interface Uncovered {
  readonly records: number;
  readonly bytes: number;
  /** Files that hold any of it; asked for only where it matters. */
  readonly segments: () => number;
  /** Size of the newest snapshot; 0 without one. */
  readonly snapshotBytes: number;
  /** Since the last one was started; Infinity when none was since opening. */
  readonly elapsedMs: number;
}

const AUTO = {
  records: 10_000,
  apartMs: 60_000,
  /** So that many short lives of a process do not pile up files. */
  segments: 64,
} as const;

/** So many times what starts one. */
const OVERDUE = 4;

/** Waiting after failures: doubled with each, up to the distance of automatic snapshots. */
const RETRY_MS = 1000;

export function isSnapshotDue(settings: SnapshotSettings, log: Uncovered): boolean {
  if (log.records === 0) return false;
  const { interval, maxWalSegments, maxWalBytes } = settings;
  if (log.bytes > maxWalBytes) return true;
  if (maxWalSegments < Infinity && log.segments() > maxWalSegments) return true;
  if (interval !== 'auto') return interval > 0 && log.records >= interval;
  const isMuch =
    log.records >= AUTO.records && log.bytes >= log.snapshotBytes && log.elapsedMs >= AUTO.apartMs;
  return isMuch || log.segments() > AUTO.segments;
}

/** A snapshot has been due for so long that lives too short for one would let the log grow without bound. */
export function isSnapshotOverdue(settings: SnapshotSettings, log: Uncovered): boolean {
  return isSnapshotDue(settings, {
    records: log.records / OVERDUE,
    bytes: log.bytes / OVERDUE,
    segments: () => log.segments() / OVERDUE,
    snapshotBytes: log.snapshotBytes,
    elapsedMs: Infinity,
  });
}

/** Is anything ever taken by itself? */
export function isScheduled({ interval, maxWalSegments, maxWalBytes }: SnapshotSettings): boolean {
  return interval !== 0 || maxWalSegments < Infinity || maxWalBytes < Infinity;
}

export function retryDelayMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(RETRY_MS * 2 ** (failures - 1), AUTO.apartMs);
}
