/**
 * The whole memory of a store: what folding the log up to `offset` gives. Nothing in here knows of
 * clocks, options or the disk. `fold.ts` alone changes it.
 */
import { IdempotencyStore } from '../instance/idempotency-store.ts';
import { InstanceStore } from '../instance/instance-store.ts';
import { MachineStore } from '../instance/machine-store.ts';
import { CollectionStore } from '../vector/collection-store.ts';
import { Indexes } from '../indexes/indexes.ts';

export class State {
  readonly machines: MachineStore = new MachineStore();
  readonly instances: InstanceStore;
  readonly keys: IdempotencyStore;
  readonly collections: CollectionStore;
  /** Derived from the others; asleep until somebody wakes it. */
  readonly indexes: Indexes;
  /** Of the last record applied. */
  offset = 0;
  /** Of its commit, in milliseconds. */
  time = 0;
  /** The latest of all commits so far: a clock that went back makes it later than `time`. */
  maxTime = 0;

  /** `hashKey`: 8 unpredictable bytes, so that nobody can choose ids that collide. Not part of the state. */
  constructor(hashKey: Uint8Array) {
    this.instances = new InstanceStore(hashKey);
    this.keys = new IdempotencyStore(hashKey);
    this.collections = new CollectionStore(hashKey);
    this.indexes = new Indexes(this.instances, this.machines, hashKey);
  }

  /** Forgets definitions and collections that wait behind `acceptedOffset`: they will never be applied. */
  dropWaiting(acceptedOffset: number): void {
    this.machines.dropWaiting(acceptedOffset);
    this.collections.dropWaiting(acceptedOffset);
  }
}
