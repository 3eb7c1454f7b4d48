/** Names in a store's directory that belong to its snapshots and to what compaction leaves; the log knows nothing of them. */
import { isUnfinishedSnapshot, snapshotOffset } from '../../snapshot/snapshot-name.ts';

/** Directory that dropped log files are moved to. */
export const ARCHIVE_NAME = 'archive';

export function isSnapshotFile(name: string): boolean {
  return name === ARCHIVE_NAME || snapshotOffset(name) !== undefined || isUnfinishedSnapshot(name);
}
