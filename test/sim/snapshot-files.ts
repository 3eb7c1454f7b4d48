/**
 * Files of snapshots and log as they lie on a simulated disk, held against what the store that is
 * open on it says of them: nothing is left behind, and what the manifest names is there (F-10, F-13).
 */
import { basename, dirname } from 'node:path';
import type { Store } from '../../src/engine/api/store.ts';
import { snapshotOffset } from '../../src/snapshot/snapshot-name.ts';
import type { SimDisk } from '../../src/testing/sim-disk.ts';
import type { SegmentList } from '../../wal/segment-list.ts';
import { segmentNumber } from '../../wal/segment-name.ts';
import { DIRECTORY } from './life.ts';

interface Internals {
  readonly snapshots: {
    readonly isIdle: boolean;
    readonly entries: readonly { readonly offset: number }[];
    readonly parts: { readonly log: { readonly files: { readonly segments: SegmentList } } };
  };
}

function internalsOf(store: Store): Internals['snapshots'] {
  return (store as unknown as Internals).snapshots;
}

export function namesIn(disk: SimDisk): string[] {
  const paths = [...disk.image.names.keys()];
  return paths.filter((path) => dirname(path) === DIRECTORY).map((path) => basename(path));
}

/**
 * After an opening for writing: it began with the newest snapshot that counts, and no file is there
 * that does not count. One that the store has begun by itself is left out of account.
 */
export function checkSnapshotFiles(store: Store, disk: SimDisk): void {
  const { entries, isIdle } = internalsOf(store);
  const named = entries.map(({ offset }) => offset);
  const newest = named.at(-1) ?? 0;
  const { snapshotOffset: base } = store.recovery;
  if (isIdle && base !== newest)
    throw new Error(`opened from snapshot ${base}, though the manifest names ${named.join()}`);
  if (!isIdle) return;
  const names = namesIn(disk).filter((name) => name.startsWith('snapshot-'));
  const offsets = names.map((name) => snapshotOffset(name) ?? name);
  if (offsets.sort().join() !== named.join())
    throw new Error(`snapshots ${offsets.join()} are there, and ${named.join()} are named`);
}

/** After compact(): no file of the log that the oldest snapshot covers, in the list or on the disk. */
export function checkCompacted(store: Store, disk: SimDisk): void {
  const { entries, parts } = internalsOf(store);
  const { held } = parts.log.files.segments;
  const [oldest] = entries;
  if (oldest === undefined) return;
  const [first, second] = held;
  if (second !== undefined && second.firstOffset <= oldest.offset + 1)
    throw new Error(
      `record ${second.firstOffset} begins a segment, and snapshot ${oldest.offset} is kept`,
    );
  for (const name of namesIn(disk)) {
    const number = segmentNumber(name);
    if (number !== undefined && first !== undefined && number < first.number)
      throw new Error(`${name} is there, though the log begins with segment ${first.number}`);
  }
}
