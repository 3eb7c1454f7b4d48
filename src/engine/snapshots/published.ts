/**
 * What the manifest names and what follows from it: the catalogue itself, the files it does not
 * name, and the log that the oldest snapshot kept covers. Every step may be repeated after a crash.
 */
import { join } from 'node:path';
import type { StoreError } from '../../base/errors.ts';
import { type CatalogueEntry, encodeCatalogue } from '../../snapshot/catalogue.ts';
import { isUnfinishedSnapshot, snapshotOffset } from '../../snapshot/snapshot-name.ts';
import { ioError } from '../../../wal/log-error.ts';
import type { Truncation } from '../../../wal/log-types.ts';
import type { Hold, Holds } from './holds.ts';
import { isAbout, openNamed } from './load-newest.ts';
import type { SnapshotParts } from './parts.ts';

/** Which snapshots stay. */
export type Kept = 'kept' | 'newest';

const NOTHING: Truncation = { segments: 0, bytesFreed: 0 };

export class Published {
  /** Oldest first. */
  entries: readonly CatalogueEntry[];
  /** Of these, met damaged: they stand in for nothing, and nothing rests on them. */
  readonly bad: Set<number>;
  /** Read from end to end by this process, and sound. */
  private readonly sound = new Set<number>();
  private readonly parts: SnapshotParts;
  private readonly holds: Holds;
  private segmentsDropped = 0;
  private bytesFreed = 0;

  constructor(parts: SnapshotParts, holds: Holds) {
    this.parts = parts;
    this.holds = holds;
    this.entries = parts.entries;
    this.bad = new Set(parts.bad);
  }

  /** Those not known to be damaged, oldest first. */
  get good(): readonly CatalogueEntry[] {
    return this.entries.filter(({ offset }) => !this.bad.has(offset));
  }

  /** The new one, which was just read back, counts from here on; of the others as many as are kept. */
  async publish(made: CatalogueEntry): Promise<void> {
    this.bad.delete(made.offset);
    this.sound.add(made.offset);
    const others = this.good.filter(({ offset }) => offset !== made.offset);
    await this.name([...others, made].slice(-this.parts.settings.keep));
  }

  private async name(entries: readonly CatalogueEntry[]): Promise<void> {
    const { log, directory } = this.parts;
    try {
      await log.setManifestExtra(encodeCatalogue(entries), { both: true });
    } catch (error) {
      throw ioError(error, 'naming a snapshot in the manifest', directory);
    }
    this.entries = entries;
    await this.removeUnnamed();
  }

  /** Files of snapshots that do not count. What cannot be removed now is met again. */
  private async removeUnnamed(): Promise<void> {
    const { fileIo, directory, logger, location } = this.parts;
    try {
      const names = await fileIo.list(directory);
      const gone = names.filter((name) => this.isUnnamed(name));
      for (const name of gone) await fileIo.remove(join(directory, name));
      if (gone.length > 0) await fileIo.syncDirectory(directory);
    } catch (error) {
      logger.log('warn', 'removing old snapshots failed', { location, error });
    }
  }

  private isUnnamed(name: string): boolean {
    if (isUnfinishedSnapshot(name)) return true;
    const offset = snapshotOffset(name);
    return offset !== undefined && !this.entries.some((entry) => entry.offset === offset);
  }

  /**
   * What a process that died left behind. The manifest is made sure of first: the slot in force may
   * be in the page cache only, and the one before it may name what is about to go.
   */
  async removeLeftovers(names: readonly string[]): Promise<void> {
    if (names.some((name) => this.isUnnamed(name))) await this.name(this.entries);
  }

  /** After a snapshot, without anybody asking: the log goes only when as many stand in as are to be kept. */
  async retainByItself(): Promise<void> {
    const { isCompacting, keep } = this.parts.settings;
    if (isCompacting && this.good.length >= keep) await this.retain('kept');
  }

  /** What the log would rest on: the good ones, or the newest of them. */
  private keptBy(which: Kept): readonly CatalogueEntry[] {
    return which === 'newest' ? this.good.slice(-1) : this.good;
  }

  /**
   * Reads what the log is about to rest on, if this process did not yet: the log may be the only
   * other copy. Gives what a damaged one is about; that one is bad from now on.
   * @throws {StoreError} WAL_IO_ERROR
   */
  async firstDamage(which: Kept): Promise<StoreError | undefined> {
    const { fileIo, directory, log, thread } = this.parts;
    const pause = (): Promise<void> => new Promise((next) => thread.nextTurn(next));
    for (const entry of this.keptBy(which)) {
      if (this.sound.has(entry.offset)) continue;
      try {
        const { storeId } = log.recovery;
        const snapshot = await openNamed({ fileIo, directory, storeId }, entry);
        try {
          await snapshot.verify(pause);
        } finally {
          await snapshot.close();
        }
      } catch (error) {
        // A disk that gives errors now may not do so later: nothing is dropped, and nothing lost.
        if (!isAbout(error, entry.offset) || error.code === 'WAL_IO_ERROR') throw error;
        this.bad.add(entry.offset);
        return error;
      }
      this.sound.add(entry.offset);
    }
    return undefined;
  }

  /** Drops the log before the oldest good snapshot; 'newest': of which only the newest stays. @throws {StoreError} WAL_IO_ERROR */
  async retain(which: Kept): Promise<Truncation> {
    const kept = this.keptBy(which);
    const [oldest] = kept;
    if (oldest === undefined) return NOTHING;
    if (which === 'newest' && this.entries.length > 1) await this.name(kept);
    const { log, onCompaction } = this.parts;
    const after = Math.min(oldest.offset, this.holds.least);
    const dropped = await log.truncateBefore(after + 1);
    if (dropped.segments > 0) {
      this.segmentsDropped += dropped.segments;
      this.bytesFreed += dropped.bytesFreed;
      onCompaction(dropped);
    }
    return dropped;
  }

  /** Since opening. */
  get dropped(): Truncation {
    return { segments: this.segmentsDropped, bytesFreed: this.bytesFreed };
  }

  stats(): Readonly<Record<string, unknown>> {
    return {
      retention: {
        oldestOffset: this.parts.log.files.segments.firstOffset,
        heldBy: this.heldBy(),
      },
      compaction: { segmentsDropped: this.segmentsDropped, bytesFreed: this.bytesFreed },
    };
  }

  /** Why the log is as long as it is. */
  private heldBy(): Hold[] {
    const { isCompacting, keep } = this.parts.settings;
    const first = this.parts.log.files.segments.firstOffset - 1;
    const [oldest] = this.entries;
    const byRule: Hold[] = [];
    if (!isCompacting) byRule.push({ what: 'compaction: false', after: first });
    if (oldest === undefined) byRule.push({ what: 'no snapshot', after: first });
    else if (this.entries.length < keep) byRule.push({ what: 'keepSnapshots', after: first });
    else byRule.push({ what: `snapshot ${oldest.offset}`, after: oldest.offset });
    return [...byRule, ...this.holds.list()];
  }
}
