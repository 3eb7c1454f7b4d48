/**
 * Files of snapshots and log as they lie on a simulated disk, held against what the store that is
 * open on it says of them: nothing is left behind, and what the manifest names is there (F-10, F-13).
 */
import { basename, dirname } from 'node:path';
import type { Store } from '../../src/engine/api/store.ts';
import { snapshotOffset } from '../../src/snapshot/snapshot-name.ts';
import type { SimDisk } from '../../src/testing/sim-disk.ts';
import { readManifest } from '../../wal/manifest.ts';
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
 * that does not count. While the store makes one by itself there may be one more.
 */
export function checkSnapshotFiles(store: Store, disk: SimDisk): void {
  const { entries, isIdle } = internalsOf(store);
  const named = entries.map(({ offset }) => offset);
  const { snapshotOffset: base } = store.recovery;
  const { taken } = (store.stats() as unknown as { snapshots: { taken: number } }).snapshots;
  if (taken === 0 && base !== (named.at(-1) ?? 0))
    throw new Error(`opened from snapshot ${base}, though the manifest names ${named.join()}`);
  if (!isIdle) return;
  const names = namesIn(disk).filter((name) => name.startsWith('snapshot-'));
  const offsets = names.sort().map((name) => snapshotOffset(name) ?? name);
  if (offsets.join() !== named.join())
    throw new Error(`snapshots ${offsets.join()} are there, and ${named.join()} are named`);
}

/** After compact(): no log that the oldest snapshot covers is part of the store, or left on the disk. */
export async function checkCompacted(store: Store, disk: SimDisk): Promise<void> {
  const { entries, parts } = internalsOf(store);
  const [oldest] = entries;
  if (oldest === undefined) return;
  const [, second] = parts.log.files.segments.held;
  // A segment without a record that is synced could not stand for the log alone.
  const least = Math.min(oldest.offset + 1, store.offset);
  if (second !== undefined && second.firstOffset <= least)
    throw new Error(
      `record ${second.firstOffset} begins a segment, and snapshot ${oldest.offset} is the oldest`,
    );
  const manifest = await readManifest(disk.fileIo, DIRECTORY);
  const first = manifest?.state.oldestSegment ?? 0;
  for (const name of namesIn(disk)) {
    const number = segmentNumber(name);
    if (number !== undefined && number < first)
      throw new Error(`${name} is there, though the log begins with segment ${first}`);
  }
}
