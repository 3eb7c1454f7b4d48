/**
 * A disk that knows written from durable. Everything asked of it goes into a journal; what the
 * running system sees is the image, what a power cut or a kill leaves follows from the journal
 * (crash-walk.ts). More pessimistic than a real disk: a synced write makes durable only its own
 * bytes, a sync only what was written before it was asked for, and names survive in any
 * combination unless their directory was synced. What a failed sync gave up no later one saves.
 */
import type { FileIo } from '../base/file-io.ts';
import { CrashWalk } from './crash-walk.ts';
import type { Call, Outcome } from './sim-faults.ts';
import { simFileIo } from './sim-file-io.ts';
import { DiskImage, type Files } from './sim-image.ts';
import { type Effect, type Entry, isEffect, type Survival } from './sim-journal.ts';
import type { SimScheduler } from './sim-scheduler.ts';

/** How a simulated disk behaves. */
export interface SimDiskOptions {
  /** Does it offer synced writes (O_DSYNC), as Linux does? Default true. */
  readonly hasSyncedWrites?: boolean | undefined;
  /** Answers its calls, each a little later; without one they are answered in the next microtask. */
  readonly scheduler?: SimScheduler | undefined;
}

/** A first sector only, the rest of the write lost. */
const FIRST_SECTOR: Survival = { sectorBytes: 512, sectors: 1 };

/** A disk with what lies on it, what was done to it, and the FileIo of the process that uses it now. */
export class SimDisk {
  /** What happened since `start`. */
  readonly journal: Entry[] = [];
  /** What was durable when the journal began. */
  readonly start: DiskImage;
  /** What the running system sees. */
  readonly image: DiskImage;
  readonly hasSyncedWrites: boolean;
  readonly scheduler: SimScheduler | undefined;
  /** What becomes of a call, asked before it; an Error: it fails and does nothing. */
  fault: ((call: Call, path: string) => Error | Outcome | undefined) | undefined;
  /** Bytes all files together may have; beyond, writes end in ENOSPC. */
  capacityBytes: number = Number.POSITIVE_INFINITY;
  /** The process dies when the journal has this length: none of its calls does anything or returns after that. */
  dieAt: number = Number.POSITIVE_INFINITY;
  /** Counts processes: calls of an earlier one do nothing. */
  generation = 0;
  /** Calls made, of all kinds. */
  calls = 0;
  /** Do those who hold a lock still have it? False: its directory was taken away under them. */
  isHeld = true;
  /** Directories a process has locked. @internal */
  readonly locks: Set<string> = new Set<string>();
  /** How often a file is open, by its number. */
  private readonly openFiles: Map<number, number> = new Map<number, number>();
  private isTaken = false;
  /** What the current process uses. */
  fileIo: FileIo;

  /** `image` is what lies on it, all of it durable; not to be changed afterwards. Default: a root directory. */
  constructor(image: DiskImage = new DiskImage(), options: SimDiskOptions = {}) {
    this.start = image;
    this.image = image.copy();
    this.hasSyncedWrites = options.hasSyncedWrites ?? true;
    this.scheduler = options.scheduler;
    this.fileIo = simFileIo(this);
  }

  /** A disk that holds these files by absolute path, all of them durable, and these directories. */
  static of(
    files: Files = new Map(),
    directories: Iterable<string> = ['/', '/db'],
    options: SimDiskOptions = {},
  ): SimDisk {
    return new SimDisk(DiskImage.of(files, directories), options);
  }

  /** Is any directory locked? Set it: somebody else has locked all of them, or nobody any. */
  get isLocked(): boolean {
    return this.isTaken || this.locks.size > 0;
  }

  set isLocked(isTaken: boolean) {
    this.isTaken = isTaken;
    this.locks.clear();
  }

  /** Can nobody lock this directory now? @internal */
  isLockedAt(path: string): boolean {
    return this.isTaken || this.locks.has(path);
  }

  /** What it was made with, for another like it. */
  get options(): SimDiskOptions {
    return { hasSyncedWrites: this.hasSyncedWrites, scheduler: this.scheduler };
  }

  /** Enters an effect, which the running system sees from now on. Returns its number in the journal. */
  add(effect: Effect): number {
    this.image.apply(effect);
    return this.journal.push(effect) - 1;
  }

  /** Is the process with this number dead? */
  isDead(generation: number): boolean {
    return generation !== this.generation || this.journal.length >= this.dieAt;
  }

  /** The process is gone, the system and what it has in its cache are not: a new process may come. */
  nextProcess(): void {
    this.generation++;
    this.dieAt = Number.POSITIVE_INFINITY;
    this.isLocked = false;
    this.openFiles.clear();
    this.fileIo = simFileIo(this);
  }

  /** A descriptor of this file more, or less. @internal */
  opened(file: number, more: 1 | -1): void {
    const count = (this.openFiles.get(file) ?? 0) + more;
    if (count > 0) this.openFiles.set(file, count);
    else this.openFiles.delete(file);
  }

  /** Asks what becomes of a call. */
  decide(call: Call, path: string): Outcome | undefined {
    this.calls++;
    const decided = this.fault?.(call, path);
    return decided instanceof Error ? { error: decided } : decided;
  }

  /** Bytes a write may still add to the files. A removed file takes its room until it is closed. */
  get roomBytes(): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return this.capacityBytes;
    return Math.max(0, this.capacityBytes - this.image.takenBytes(this.openFiles.keys()));
  }

  /** Notes that somebody outside was told something at this moment. */
  tell(what: unknown): void {
    this.journal.push({ kind: 'told', what });
  }

  /** What was told before the entry with this number. */
  told(length: number = this.journal.length): unknown[] {
    return this.journal
      .slice(0, length)
      .flatMap((entry) => (entry.kind === 'told' ? [entry.what] : []));
  }

  /** Files as the running system sees them. */
  files(): Map<string, Uint8Array> {
    return this.image.files();
  }

  /** A walk along the journal as it is now. */
  walk(): CrashWalk {
    return new CrashWalk(this.start, this.journal);
  }

  /** The disk after the first `length` entries and a power cut; `keep` decides about each effect in doubt. */
  crash(
    length: number,
    keep: (index: number, effect: Effect) => boolean | 'torn' | Survival,
    options: SimDiskOptions = { hasSyncedWrites: this.hasSyncedWrites },
  ): SimDisk {
    const walk = this.walk();
    walk.advance(length);
    const image = walk.cut((index, effect) => {
      const kept = keep(index, effect);
      if (kept === 'torn') return FIRST_SECTOR;
      return typeof kept === 'boolean' ? (kept ? 'whole' : 'none') : kept;
    });
    return new SimDisk(image, options);
  }

  /** The disk after the first `length` entries, whose process then died; `options` of the next one. */
  kill(length: number, options: SimDiskOptions = this.options): SimDisk {
    const walk = this.walk();
    walk.advance(length);
    return SimDisk.resumed(walk.killed(), options);
  }

  /** A disk with effects still in doubt. */
  static resumed(
    left: { readonly image: DiskImage; readonly journal: readonly Entry[] },
    options: SimDiskOptions,
  ): SimDisk {
    const disk = new SimDisk(left.image, options);
    for (const entry of left.journal) {
      if (isEffect(entry)) disk.add(entry);
      else disk.journal.push(entry);
    }
    return disk;
  }

  /** Damage at rest: files as the function leaves them, all of it durable. */
  damaged(damage: (files: Map<string, Uint8Array>) => Files): SimDisk {
    const image = DiskImage.of(damage(this.files()), this.image.directories);
    return new SimDisk(image, this.options);
  }
}

/** Numbers of the entries that a power cut after the first `length` may keep or not. */
export function undecided(disk: SimDisk, length: number): number[] {
  const walk = disk.walk();
  walk.advance(length);
  return walk.undecided;
}
