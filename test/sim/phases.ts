/**
 * What of taking a snapshot a crash interrupts, told from the journal of the disk: so that a campaign
 * can say that it met each step (F-10, F-11, F-12).
 */
import { isUnfinishedSnapshot, snapshotOffset } from '../../src/snapshot/snapshot-name.ts';
import type { SimDisk } from '../../src/testing/sim-disk.ts';
import type { Entry } from '../../src/testing/sim-journal.ts';
import { DIRECTORY } from './life.ts';

export const PHASES = ['writing', 'unnamed', 'named', 'dropping'] as const;
/**
 * The file is being written; it has its name and the manifest does not say so; the manifest was
 * written and nothing that it makes superfluous is gone; some of that is gone and some is not.
 */
export type Phase = (typeof PHASES)[number];
export type PhaseCounts = Record<Phase, number>;

export function noPhases(): PhaseCounts {
  return { writing: 0, unnamed: 0, named: 0, dropping: 0 };
}

const MANIFEST = `${DIRECTORY}/manifest`;
/** Entries between two removals of one compaction, at the most. */
const NEAR = 9;

/** For each number of entries of the disk's journal before a crash: what was under way. */
export function phasesOf({ journal, start, image }: SimDisk): (Phase | undefined)[] {
  const phases: (Phase | undefined)[] = [];
  const manifests = new Set([start, image].map(({ names }) => names.get(MANIFEST)));
  let phase: Phase | undefined;
  let named = 0;
  for (const [i, entry] of journal.entries()) {
    phases.push(phase);
    const name = nameOf(entry);
    if (isUnfinishedSnapshot(name)) {
      // Nothing followed from the one before.
      if (phase === 'named') phases.fill(undefined, named);
      phase = entry.kind === 'create' ? 'writing' : undefined;
    } else if (entry.kind === 'rename' && isUnfinishedSnapshot(nameOf(entry, 'path'))) {
      phase = 'unnamed';
    } else if (entry.kind === 'write' && manifests.has(entry.file) && phase === 'unnamed') {
      phase = 'named';
      named = i + 1;
    } else if (isDrop(entry)) {
      phase = journal.slice(i + 1, i + NEAR).some(isDrop) ? 'dropping' : undefined;
    }
  }
  if (phase === 'named') phases.fill(undefined, named);
  phases.push(phase === 'named' ? undefined : phase);
  return phases;
}

/** The name a file has behind the entry, or had before. */
function nameOf(entry: Entry, which: 'to' | 'path' = 'to'): string {
  const { path = '', to = path } = entry as { readonly path?: string; readonly to?: string };
  const full = which === 'to' ? to : path;
  return full.slice(full.lastIndexOf('/') + 1);
}

/** Of a snapshot or a segment that is not needed any more. */
function isDrop(entry: Entry): boolean {
  if (entry.kind === 'rename') return entry.to.includes('/archive/');
  if (entry.kind !== 'remove') return false;
  const name = nameOf(entry);
  return name.endsWith('.wal') || snapshotOffset(name) !== undefined;
}
