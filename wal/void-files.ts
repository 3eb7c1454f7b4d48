/**
 * Files an opening finds and nobody needs: segments prepared and never used, segments no link
 * leads to, segments dropped on purpose, unfinished ones. Which of them go, when, and in which
 * order with the manifest, so that nothing that must be there is ever missing.
 */
import { join } from 'node:path';
import type { FileIo } from '../src/base/file-io.ts';
import type { DroppedSegments } from './dropped-segments.ts';
import type { ManifestFile } from './manifest.ts';
import type { ScanReport } from './scan-report.ts';
import { UNFINISHED_RESERVE_NAME, segmentName } from './segment-name.ts';

export interface FoundFiles {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly report: ScanReport;
  readonly manifest: ManifestFile;
}

/** Highest segment that is not blank. */
export function highestKept({ files, chain }: ScanReport): number {
  return Math.max(0, ...files.segments.filter((number) => !chain.blanks.includes(number)));
}

/** Number of the first segment this process writes to: behind the log, over the topmost void if there is one. */
export function firstNumber({ chain, manifest }: ScanReport): number {
  const { segments, voids, blanks } = chain;
  const usedVoids = voids.filter((number) => !blanks.includes(number));
  return Math.max((segments.at(-1)?.number ?? 0) + 1, manifest.state.oldestSegment, ...usedVoids);
}

/** Above the log, prepared and never used, or not finished: their room is wanted, their numbers are given again. May be repeated. */
export async function removeBlanks({ fileIo, directory, ...found }: FoundFiles): Promise<void> {
  const { report, manifest } = found;
  const { blanks } = report.chain;
  const highestSegment = highestKept(report);
  // Also when it says so already: the slot we read may be in the page cache only.
  const isNamed = manifest.state.highestSegment > highestSegment;
  if (isNamed || blanks.length > 0) await manifest.updateBoth({ highestSegment });
  // Now, before anything is prepared: later one of them could be the very file that is being made.
  const unfinished = report.files.unfinished.filter((name) => name !== UNFINISHED_RESERVE_NAME);
  await removeAll(fileIo, directory, [...blanks.map(segmentName), ...unfinished]);
}

export interface FoundVoids extends FoundFiles {
  readonly dropped: DroppedSegments;
}

/** Once the first segment of this process is linked. Oldest first; a file that stays is void still, and met again at the next opening. */
export async function removeVoids({ fileIo, directory, ...found }: FoundVoids): Promise<void> {
  const { report, manifest } = found;
  const { segments, voids, blanks, dropped } = report.chain;
  // The new segment continues the last attested end: what lies between was written again.
  const passedOver = segments
    .map((segment) => segment.number)
    .filter((number) => number > report.attestedEnd.segment);
  const first = firstNumber(report);
  const gone = [...voids, ...passedOver]
    .filter((number) => number !== first && !blanks.includes(number))
    .toSorted((a, b) => a - b);
  if (dropped.length + gone.length > 0) await manifest.settle();
  await found.dropped.drop(dropped);
  await removeAll(fileIo, directory, gone.map(segmentName));
}

async function removeAll(
  fileIo: FileIo,
  directory: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const path = join(directory, name);
    if ((await fileIo.stat(path)) !== undefined) await fileIo.remove(path);
  }
  if (names.length > 0) await fileIo.syncDirectory(directory);
}
