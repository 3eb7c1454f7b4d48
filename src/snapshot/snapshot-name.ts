/**
 * File name <-> offset of a snapshot: 'snapshot-0000000000000042' is the state after record 42.
 * While it is being written its name ends in '.unfinished'. Which files count is not in their
 * names but in the catalogue (see catalogue.ts).
 */

const PREFIX = 'snapshot-';
const UNFINISHED = '.unfinished';
const DIGITS = 16;
const NAME = /^snapshot-(\d{16})$/;

export function snapshotName(offset: number): string {
  return PREFIX + String(offset).padStart(DIGITS, '0');
}

export function unfinishedSnapshotName(offset: number): string {
  return snapshotName(offset) + UNFINISHED;
}

/** The offset, or undefined when the name is not exactly the one a snapshot would have. */
export function snapshotOffset(name: string): number | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const offset = Number(match[1]);
  return Number.isSafeInteger(offset) && snapshotName(offset) === name ? offset : undefined;
}

/** Left behind by a process that died while writing one, or being written now. */
export function isUnfinishedSnapshot(name: string): boolean {
  return (
    name.endsWith(UNFINISHED) && snapshotOffset(name.slice(0, -UNFINISHED.length)) !== undefined
  );
}
