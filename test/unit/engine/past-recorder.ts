/** What a store was after each of its commits, by a plain fold of its log, read before any of it is dropped. */
import type { Instance, View } from 'pawl';
import type { SimDisk } from 'pawl/testing';
import { Reads } from '../../../src/engine/reads.ts';
import { instanceReads } from '../../../src/engine/handles.ts';
import { digestOf } from '../../../src/state/digest.ts';
import { Fold } from '../../../src/state/fold.ts';
import { State } from '../../../src/state/state.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import { scanLog } from '../../../wal/scan.ts';

export interface Commit {
  readonly offset: number;
  readonly time: number;
  readonly digest: string;
  readonly instances: readonly Instance[];
}

export class PastRecorder {
  /** The first one is the empty store. */
  readonly commits: Commit[] = [];
  private readonly state = new State(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  private readonly fold = new Fold(this.state);

  constructor() {
    this.note(Number.NEGATIVE_INFINITY);
  }

  /** Goes on where it stopped. */
  async read(disk: SimDisk, directory: string): Promise<void> {
    const { fold, state } = this;
    const cursor = new RecordCursor();
    await scanLog(disk.fileIo, directory, {
      onFrame: (bytes, start, end, firstOffset) => {
        cursor.reset(bytes, start, end, firstOffset);
        while (cursor.advance()) {
          if (cursor.offset <= state.offset) continue;
          fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
          if (cursor.isLastOfCommit) this.note(state.time);
        }
      },
    });
  }

  private note(time: number): void {
    const { state } = this;
    const reads = instanceReads({ reads: new Reads(state), storeId: '' }, undefined);
    const instances = [...reads.iterate()];
    this.commits.push({ offset: state.offset, time, digest: digestOf(state), instances });
  }

  /** Rounded down to a whole commit. */
  at(offset: number): Commit {
    return this.commits.findLast((one) => one.offset <= offset)!;
  }

  /** Before the first commit whose time is later. */
  before(time: number): Commit {
    const later = this.commits.findIndex((one) => one.time > time);
    return this.commits.at(later < 0 ? -1 : later - 1)!;
  }
}

export function digestOfView(view: View): string {
  return digestOf((view as unknown as { readonly past: { readonly state: State } }).past.state);
}

export function openFilesOf(disk: SimDisk): number {
  return (disk as unknown as { readonly openFiles: ReadonlyMap<number, number> }).openFiles.size;
}
