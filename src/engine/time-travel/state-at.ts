/**
 * The state as it was: the newest usable snapshot at or before the moment, and the log behind it
 * folded up to the moment. One function for views, differences and restored stores, and the same
 * fold as everywhere. A snapshot that turns out to be damaged is passed over for an older one.
 */
import { isStoreError, StoreError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Thread } from '../../base/thread.ts';
import type { CatalogueEntry } from '../../snapshot/catalogue.ts';
import type { SnapshotFile } from '../../snapshot/snapshot-file.ts';
import type { State } from '../../state/state.ts';
import { type OnFrameAwaited, readFrames } from '../../../wal/read-frames.ts';
import { impossible } from '../impossible.ts';
import { newState } from '../new-state.ts';
import { isAbout, openNamed } from '../snapshots/load-newest.ts';
import { FoldUntil } from './fold-until.ts';
import type { Bounds } from './moment.ts';
import { Pace } from './pace.ts';
import type { PastSource } from './past-source.ts';

/** Snapshots are replaced while one looks for them; so often in a row that is no accident. */
const ATTEMPTS = 4;

export interface PastState {
  readonly state: State;
  /** The rest of its contexts is read from there when somebody asks: to be closed with the state. */
  readonly snapshot: SnapshotFile | undefined;
}

export interface StateAtOptions {
  readonly source: PastSource;
  readonly bounds: Bounds;
  readonly thread: Thread;
  readonly random: Random;
  /** Checked between pieces of work: throws what ends it early. */
  readonly check?: (() => void) | undefined;
}

/**
 * Gives the thread back every few milliseconds while it works.
 * @throws {StoreError} OFFSET_TOO_OLD - neither snapshots nor log reach back so far; CORRUPT,
 *   FORMAT_UNSUPPORTED, WAL_IO_ERROR
 */
export async function stateAt(options: StateAtOptions): Promise<PastState> {
  const bad = new Map<number, StoreError>();
  for (let attempt = 1; ; attempt++) {
    const entries = await options.source.entries();
    const usable = entries.filter(({ offset }) => !bad.has(offset));
    try {
      const found = await new Attempt(options, usable).run();
      if ('state' in found) return found;
      bad.set(found.offset, found.reason);
    } catch (error) {
      // Dropped while we looked: what is there now may do, but for what never was enough.
      const isGone = isStoreError(error, 'OFFSET_TOO_OLD') && attempt < ATTEMPTS;
      if (isGone && !sameEntries(entries, await options.source.entries())) continue;
      throw explained(error, options.bounds, entries, bad);
    }
  }
}

/** The snapshot an attempt began with cannot be used. */
interface BadBase {
  readonly offset: number;
  readonly reason: StoreError;
}

class Attempt {
  private readonly options: StateAtOptions;
  private readonly entries: readonly CatalogueEntry[];
  private snapshot: SnapshotFile | undefined;
  /** Of the snapshot being used, also before it is open. */
  private baseOffset: number | undefined;
  private foldFailure: unknown = undefined;

  constructor(options: StateAtOptions, entries: readonly CatalogueEntry[]) {
    this.options = options;
    this.entries = entries;
  }

  async run(): Promise<PastState | BadBase> {
    const { source, random } = this.options;
    // Whatever snapshot it will be, or none: the log there is stays until this is done.
    const letGo = source.hold('reading the past', 0);
    try {
      const state = newState(random);
      this.snapshot = await this.base();
      await this.snapshot?.load(state, 'lazy');
      await this.fold(state);
      return { state, snapshot: this.snapshot };
    } catch (error) {
      await this.snapshot?.close().catch(() => undefined);
      const offset = this.baseOffset;
      if (offset === undefined) throw error;
      // Perhaps a context that only a record behind the snapshot asked for.
      const reason = this.foldFailure ?? error;
      if (isAbout(reason, offset)) return { offset, reason };
      throw error;
    } finally {
      letGo();
    }
  }

  /** The newest snapshot that holds nothing behind the moment; undefined: from the first record on. */
  private async base(): Promise<SnapshotFile | undefined> {
    const { source, bounds } = this.options;
    for (const entry of this.entries.toReversed()) {
      if (entry.offset > bounds.through) continue;
      this.options.check?.();
      this.baseOffset = entry.offset;
      const snapshot = await openNamed(source, entry);
      if (snapshot.maxTime <= bounds.time) return snapshot;
      await snapshot.close();
    }
    this.baseOffset = undefined;
    return undefined;
  }

  private async fold(state: State): Promise<void> {
    const { source, bounds, thread, check } = this.options;
    const frames = await source.framesBehind(state.offset);
    const until = new FoldUntil(state, bounds);
    const pace = new Pace(thread);
    const onFrame: OnFrameAwaited = (bytes, start, end, firstOffset, count) => {
      try {
        until.frame(bytes, start, end, firstOffset, count);
      } catch (error) {
        this.foldFailure = error;
        throw impossible(error, state.offset + 1);
      }
      return pace.isOver ? pause() : undefined;
    };
    const stop = new AbortController();
    const pause = async (): Promise<void> => {
      await pace.turn();
      check?.();
      if (until.isDone) stop.abort();
      stop.signal.throwIfAborted();
    };
    try {
      await readFrames(source.fileIo, frames, state.offset, bounds.through, onFrame, pause);
    } catch (error) {
      // The moment was reached before the log ended.
      if (!stop.signal.aborted) throw error;
    }
  }
}

function sameEntries(a: readonly CatalogueEntry[], b: readonly CatalogueEntry[]): boolean {
  return a.length === b.length && a.every(({ offset }, i) => offset === b[i]?.offset);
}

/** What the log says is missing, as an answer to what was asked. */
function explained(
  error: unknown,
  { through, time }: Bounds,
  entries: readonly CatalogueEntry[],
  bad: ReadonlyMap<number, StoreError>,
): unknown {
  if (!isStoreError(error, 'OFFSET_TOO_OLD')) return error;
  // There is a snapshot that would have done, were it not damaged.
  for (const { offset } of entries.toReversed()) {
    const reason = offset <= through ? bad.get(offset) : undefined;
    if (reason !== undefined) return reason;
  }
  const oldest = entries[0]?.offset ?? error.details.oldest;
  if (time === Number.POSITIVE_INFINITY) return tooOld(`record ${through}`, through, oldest);
  return tooOld(`the time ${time}`, Math.min(through, Math.max(0, oldest - 1)), oldest);
}

function tooOld(what: string, requested: number, oldest: number): StoreError {
  const message = `${what} lies before what was kept: the oldest state that can be read is that of record ${oldest}`;
  return new StoreError('OFFSET_TOO_OLD', message, { details: { requested, oldest } });
}
