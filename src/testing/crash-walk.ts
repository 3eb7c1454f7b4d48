/**
 * Walks the journal of a simulated disk and knows, behind every entry, what is durable and what is
 * not: the states a power cut at that moment may leave, and what a killed process leaves to the
 * next one. Effects a sync has met are folded into one image, so a crash state costs the effects in
 * doubt and not the whole history.
 *
 * A rename from one directory to another is durable when both were synced. What a failed sync gave
 * up stays in doubt for good, as on Linux.
 */
import { dirname } from 'node:path';
import { badRequest } from '../base/errors.ts';
import type { DiskImage } from './sim-image.ts';
import { type Effect, type Entry, isEffect, type Survival } from './sim-journal.ts';

interface Pending {
  /** Its number in the journal. */
  readonly index: number;
  readonly effect: Effect;
  /** Synced, but behind an effect in doubt that it overlaps: kept always, and in its place. */
  isDurable: boolean;
  /** A sync of it failed: no later one meets it. */
  isGivenUp: boolean;
  /** Of a name: directories that are not yet synced behind it. */
  readonly unsyncedIn: Set<string>;
}

/** Goes through a journal entry by entry; at each it can say what a crash would leave. */
export class CrashWalk {
  /** Entries walked. */
  length = 0;
  private readonly journal: readonly Entry[];
  private readonly durable: DiskImage;
  private pending: Pending[] = [];

  constructor(start: DiskImage, journal: readonly Entry[]) {
    this.durable = start.copy();
    this.journal = journal;
  }

  /**
   * Goes on to the state behind the first `length` entries.
   * @throws {StoreError} BAD_REQUEST - that lies behind the walk already, or the journal is shorter.
   */
  advance(length: number): void {
    if (!(length >= this.length && length <= this.journal.length))
      throw badRequest(
        `a walk at entry ${this.length} of ${this.journal.length} cannot go on to ${length}`,
        'length',
      );
    for (; this.length < length; this.length++)
      this.take(this.journal[this.length] as Entry, this.length);
  }

  /** Numbers of the entries a power cut may keep or not. */
  get undecided(): number[] {
    return this.pending.filter((one) => !one.isDurable).map((one) => one.index);
  }

  /** What the disk holds after a power cut. `keep` decides about each effect in doubt. */
  cut(keep: (index: number, effect: Effect) => Survival): DiskImage {
    const image = this.durable.copy();
    for (const { index, effect, isDurable } of this.pending)
      image.apply(effect, isDurable ? 'whole' : keep(index, effect));
    return image.settled();
  }

  /** What a process that dies leaves: the durable image, and the entries still in doubt. */
  killed(): { image: DiskImage; journal: Entry[] } {
    const journal: Entry[] = [];
    for (const { effect, isDurable, isGivenUp, unsyncedIn } of this.pending) {
      journal.push(effect);
      if (isDurable) journal.push({ kind: 'durable', write: journal.length - 1 });
      const before = journal.length;
      if (isGivenUp && isContent(effect))
        journal.push({ kind: 'sync', file: effect.file, before, failed: true });
      if (!isDurable)
        for (const path of directoriesOf(effect))
          if (!unsyncedIn.has(path)) journal.push({ kind: 'syncdir', path, before });
    }
    return { image: this.durable.copy(), journal };
  }

  private take(entry: Entry, index: number): void {
    if (isEffect(entry)) {
      // A file exists from here on, with a name or not.
      if (entry.kind === 'create') this.durable.apply(entry, 'none');
      const unsyncedIn = new Set(directoriesOf(entry));
      this.pending.push({ index, effect: entry, isDurable: false, isGivenUp: false, unsyncedIn });
    } else if (entry.kind === 'durable') this.makeDurable((one) => one.index === entry.write);
    else if (entry.kind === 'sync') this.sync(entry.file, entry.before, entry.failed === true);
    else if (entry.kind === 'syncdir')
      this.makeDurable(
        (one) =>
          one.index < entry.before &&
          one.unsyncedIn.delete(entry.path) &&
          one.unsyncedIn.size === 0,
      );
  }

  private sync(file: number, before: number, isFailed: boolean): void {
    const isMet = ({ index, effect }: Pending): boolean =>
      index < before && isContent(effect) && effect.file === file;
    if (!isFailed) return this.makeDurable((one) => !one.isGivenUp && isMet(one));
    // A length is metadata: when that fails, the file system takes no more changes at all.
    for (const one of this.pending)
      if (one.effect.kind === 'write' && !one.isDurable && isMet(one)) one.isGivenUp = true;
  }

  private makeDurable(isMet: (one: Pending) => boolean): void {
    const rest: Pending[] = [];
    for (const one of this.pending) {
      if (!one.isDurable && isMet(one)) one.isDurable = true;
      if (one.isDurable && !rest.some((before) => overlap(before.effect, one.effect)))
        this.durable.apply(one.effect);
      else rest.push(one);
    }
    this.pending = rest;
  }
}

type ContentEffect = Extract<Effect, { readonly kind: 'write' | 'truncate' }>;

function isContent(effect: Effect): effect is ContentEffect {
  return effect.kind === 'write' || effect.kind === 'truncate';
}

/** Where a name is kept that the effect changes. */
function directoriesOf(effect: Effect): string[] {
  return isContent(effect) ? [] : namesOf(effect).map((name) => dirname(name));
}

/** Does their order matter? */
function overlap(one: Effect, other: Effect): boolean {
  if (one.kind === 'write' && other.kind === 'write')
    return (
      one.file === other.file &&
      one.at < other.at + other.bytes.length &&
      other.at < one.at + one.bytes.length
    );
  if (isContent(one)) return isContent(other) && one.file === other.file;
  if (isContent(other)) return false;
  const names = new Set(namesOf(one));
  return namesOf(other).some((name) => names.has(name));
}

function namesOf(effect: Exclude<Effect, ContentEffect>): string[] {
  return effect.kind === 'rename' ? [effect.path, effect.to] : [effect.path];
}
