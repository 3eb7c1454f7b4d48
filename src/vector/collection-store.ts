/**
 * All collections of a store. Readers see those whose record was applied (`visible`); commands see
 * what the commands before them leave (`decided`). Numbers count creations and are never used again.
 */
import { invariant } from '../base/assert.ts';
import type { GivenConfig } from './config.ts';
import { Collection } from './collection.ts';

export class CollectionStore {
  /** Creations that were applied: the number the next one has. */
  created = 0;
  /** Nothing in any collection expires before this. */
  nextExpiry: number = Infinity;
  private readonly hashKey: Uint8Array;
  private readonly byNumber = new Map<number, Collection>();
  private readonly visibleByName = new Map<string, Collection>();
  private readonly decidedByName = new Map<string, Collection>();
  /** Created ahead of the log, in order. */
  private waiting: Collection[] = [];

  constructor(hashKey: Uint8Array) {
    this.hashKey = hashKey;
  }

  get nextNumber(): number {
    return this.created + this.waiting.length;
  }

  visible(name: string): Collection | undefined {
    return this.visibleByName.get(name);
  }

  decided(name: string): Collection | undefined {
    return this.decidedByName.get(name);
  }

  /** Applied ones, in the order of their numbers. */
  all(): Collection[] {
    return [...this.visibleByName.values()].sort((a, b) => a.number - b.number);
  }

  /** The collection a record names. */
  at(number: number): Collection {
    const found = this.byNumber.get(number);
    invariant(found?.isApplied === true, `collection ${number} exists`);
    return found;
  }

  addWaiting(name: string, given: GivenConfig, recordOffset: number): Collection {
    const added = this.add(this.nextNumber, name, given);
    added.createOffset = recordOffset;
    this.waiting.push(added);
    return added;
  }

  dropWaitingFor(collection: Collection, recordOffset: number): void {
    collection.dropOffset = recordOffset;
    if (this.decidedByName.get(collection.name) === collection)
      this.decidedByName.delete(collection.name);
  }

  applyCreate(number: number, name: string, given: () => GivenConfig): void {
    invariant(number === this.created, 'collections are numbered without a gap');
    invariant(!this.visibleByName.has(name), 'a collection is created once');
    const found = this.waiting[0] ?? this.add(number, name, given());
    invariant(
      found.number === number && found.name === name,
      'what was decided is what is applied',
    );
    if (this.waiting.length > 0) this.waiting.shift();
    this.created = number + 1;
    this.show(found);
  }

  private show(collection: Collection): void {
    collection.isApplied = true;
    this.visibleByName.set(collection.name, collection);
  }

  applyDrop(number: number): void {
    const found = this.at(number);
    this.visibleByName.delete(found.name);
    this.byNumber.delete(number);
    if (this.decidedByName.get(found.name) === found) this.decidedByName.delete(found.name);
    this.expiryMoved();
  }

  /** As a snapshot has it. */
  restore(number: number, name: string, given: GivenConfig): Collection {
    const restored = this.add(number, name, given);
    this.show(restored);
    return restored;
  }

  /** Something expires at `time`. */
  expires(time: number): void {
    if (time < this.nextExpiry) this.nextExpiry = time;
  }

  /** What was to expire next may be gone. */
  expiryMoved(): void {
    let next = Infinity;
    for (const one of this.visibleByName.values()) next = Math.min(next, one.expiry.next());
    this.nextExpiry = next;
  }

  /** Forgets what waits behind `acceptedOffset`: it will never be applied. */
  dropWaiting(acceptedOffset: number): void {
    for (const one of this.waiting.filter((each) => each.createOffset > acceptedOffset))
      this.byNumber.delete(one.number);
    this.waiting = this.waiting.filter((one) => one.createOffset <= acceptedOffset);
    this.decidedByName.clear();
    for (const one of this.byNumber.values()) {
      if (one.dropOffset > acceptedOffset) one.dropOffset = 0;
      if (one.dropOffset === 0) this.decidedByName.set(one.name, one);
    }
  }

  private add(number: number, name: string, given: GivenConfig): Collection {
    const added = new Collection(number, name, given, this.hashKey);
    this.byNumber.set(number, added);
    this.decidedByName.set(name, added);
    return added;
  }
}
