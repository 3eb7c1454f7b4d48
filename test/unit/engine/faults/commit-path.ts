/** Calls whose failure stops the log, and F-32: what failed on it is not tried again. */
import type { IoCall } from './faulty-io.ts';

const SEGMENT = /\d+\.wal$/;
/** The one thing a closing log may write again, for want of room: its last mark. */
const NO_ROOM_CLOSING = /^closing/;

/** Frames, marks and syncs of a segment in use; and the look at whose directory it is. */
export function isCommitPath({ kind, path }: Pick<IoCall, 'kind' | 'path'>): boolean {
  return kind === 'held' || ((kind === 'write' || kind === 'sync') && SEGMENT.test(path));
}

/** Throws when a file is synced again that could not be, or written again that could not be. */
export function checkNothingRepeated(calls: readonly IoCall[]): void {
  const failed = new Map<string, IoCall>();
  for (const call of calls) {
    // Another file takes the name.
    if (call.kind === 'rename') failed.delete(call.path);
    if (call.kind === 'held' || !isCommitPath(call)) continue;
    const before = failed.get(call.path);
    if (before !== undefined && before.period === call.period) {
      const isMark = NO_ROOM_CLOSING.test(call.period) && call.kind === 'write';
      if (!isMark) throw new Error(`call ${call.index} repeats call ${before.index}, which failed`);
      failed.delete(call.path);
    }
    if (call.isHit) failed.set(call.path, call);
  }
}
