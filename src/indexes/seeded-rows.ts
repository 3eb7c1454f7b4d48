/**
 * Enters rows into a path index by what a snapshot says of them (seed.ts). A value is entered into the
 * index when the first row has it, and held until the end: a number stands for the same value all
 * along, whatever writers do to its instances between two steps.
 */
import type { InstanceStore } from '../instance/instance-store.ts';
import type { PathIndex } from './path-index.ts';
import { type IndexSeed, type PathSeed, SEED_NUMBER, SEED_ROWS } from './seed.ts';

/** Of a number no row has had yet. */
const UNKNOWN = 0xffffffff;

export class SeededRows {
  private readonly index: PathIndex;
  private readonly instances: InstanceStore;
  private readonly offset: number;
  private readonly seed: PathSeed;
  /** By number of a value, its value in the index. */
  private readonly held: Uint32Array;
  private none = UNKNOWN;
  private numbers: Float64Array | undefined;
  /** Rows `numbers` is of. */
  private first = -1;

  constructor(index: PathIndex, instances: InstanceStore, seed: IndexSeed, path: PathSeed) {
    this.index = index;
    this.instances = instances;
    this.offset = seed.offset;
    this.seed = path;
    this.held = new Uint32Array(path.starts.length).fill(UNKNOWN);
  }

  /** Enters a row of the machine that is in no index yet; false when its context must be asked. */
  enter(handle: number): boolean {
    const row = handle % SEED_ROWS;
    if (handle - row !== this.first) {
      this.first = handle - row;
      this.numbers = this.seed.numbersFrom(this.first);
    }
    const number = this.numbers?.[row] ?? SEED_NUMBER.untold;
    // Of a row changed since it tells what was.
    if (number === SEED_NUMBER.untold || this.instances.offset(handle) > this.offset) return false;
    const value = this.valueOf(number);
    if (value === UNKNOWN) return false;
    this.index.enter(handle, value);
    return true;
  }

  private valueOf(number: number): number {
    if (number === SEED_NUMBER.none) {
      if (this.none === UNKNOWN) this.none = this.index.hold(undefined, 0);
      return this.none;
    }
    const i = number - SEED_NUMBER.first;
    const known = this.held[i];
    if (known !== UNKNOWN) return known ?? UNKNOWN;
    const value = this.index.hold(this.seed.bytes, this.seed.starts[i] as number);
    this.held[i] = value;
    return value;
  }

  /** All rows are in the index. */
  end(): void {
    if (this.none !== UNKNOWN) this.index.letGo(this.none);
    for (const value of this.held) if (value !== UNKNOWN) this.index.letGo(value);
  }
}
