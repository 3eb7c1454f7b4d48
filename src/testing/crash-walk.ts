/**
 * Walks the journal of a simulated disk and knows, behind every entry, what is durable and what is
 * not: the states a power cut at that moment may leave, and what a killed process leaves to the
 * next one. Effects a sync has met are folded into one image, so a crash state costs the effects in
 * doubt and not the whole history.
 */
import { dirname } from 'node:path';
import type { DiskImage } from './sim-image.ts';
import { type Effect, type Entry, isEffect, type Survival } from './sim-journal.ts';

interface Pending {
  /** Its number in the journal. */
  readonly index: number;
  readonly effect: Effect;
  /** Synced, but behind an effect in doubt that it overlaps: kept always, and in its place. */
  isDurable: boolean;
}

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

  /** Goes on to the state behind the first `length` entries. */
  advance(length: number): void {
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
    for (const { effect, isDurable } of this.pending) {
      journal.push(effect);
      if (isDurable) journal.push({ kind: 'durable', write: journal.length - 1 });
    }
    return { image: this.durable.copy(), journal };
  }

  private take(entry: Entry, index: number): void {
    if (isEffect(entry)) {
      // A file exists from here on, with a name or not.
      if (entry.kind === 'create') this.durable.apply(entry, 'none');
      this.pending.push({ index, effect: entry, isDurable: false });
    } else if (entry.kind === 'durable') this.makeDurable((one) => one.index === entry.write);
    else if (entry.kind === 'sync')
      this.makeDurable((one) => one.index < entry.before && isContentOf(one.effect, entry.file));
    else if (entry.kind === 'syncdir')
      this.makeDurable((one) => one.index < entry.before && isNameIn(one.effect, entry.path));
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

function isContentOf(effect: Effect, file: number): boolean {
  return (effect.kind === 'write' || effect.kind === 'truncate') && effect.file === file;
}

function isNameIn(effect: Effect, directory: string): boolean {
  return (
    effect.kind !== 'write' && effect.kind !== 'truncate' && dirname(effect.path) === directory
  );
}

/** Does their order matter? */
function overlap(one: Effect, other: Effect): boolean {
  if (one.kind === 'write' && other.kind === 'write')
    return (
      one.file === other.file &&
      one.at < other.at + other.bytes.length &&
      other.at < one.at + one.bytes.length
    );
  if (one.kind === 'write' || one.kind === 'truncate')
    return (other.kind === 'write' || other.kind === 'truncate') && one.file === other.file;
  if (other.kind === 'write' || other.kind === 'truncate') return false;
  const names = new Set(namesOf(one));
  return namesOf(other).some((name) => names.has(name));
}

function namesOf(effect: Exclude<Effect, { kind: 'write' | 'truncate' }>): string[] {
  return effect.kind === 'rename' ? [effect.path, effect.to] : [effect.path];
}
