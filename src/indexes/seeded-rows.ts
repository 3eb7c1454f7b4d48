/**
 * Enters rows into a path index by what a snapshot says of them (seed.ts). A value is entered into the
 * index when the first row has it, and held until the end: a number stands for the same value all
 * along, whatever writers do to its instances between two steps.
 */
import type { InstanceStore } from '../instance/instance-store.ts';
import { ROW, ROW_FLAG, ROW_INDEX_MASK } from '../instance/row.ts';
import type { PathIndex } from './path-index.ts';
import { type IndexSeed, type PathSeed, SEED_NUMBER, SEED_ROWS } from './seed.ts';

/** Of a number no row has had yet. */
const UNKNOWN = 0xffffffff;
const UNTOLD: Float64Array = new Float64Array(SEED_ROWS);

export class SeededRows {
  private readonly index: PathIndex;
  private readonly instances: InstanceStore;
  private readonly offset: number;
  private readonly seed: PathSeed;
  /** By number of a value, its value in the index. */
  private readonly held: Uint32Array;
  private none = UNKNOWN;
  private numbers = UNTOLD;
  /** Rows `numbers` is of. */
  private first = -1;

  constructor(index: PathIndex, instances: InstanceStore, seed: IndexSeed, path: PathSeed) {
    this.index = index;
    this.instances = instances;
    this.offset = seed.offset;
    this.seed = path;
    this.held = new Uint32Array(path.starts.length).fill(UNKNOWN);
  }

  /**
   * Enters the rows of the machine from `start` to `end`, which are of one block and in no index yet.
   * `ask` is given those whose contexts must tell, and may throw.
   */
  enter(
    start: number,
    end: number,
    isOurs: readonly boolean[],
    ask: (handle: number) => void,
  ): void {
    const { index, offset } = this;
    const numbers = this.numbersFrom(start - (start % SEED_ROWS));
    // A source fills in whole blocks, so that all of these rows are there.
    const { u16, u32, f64 } = this.instances.segment(start);
    index.expect(this.instances.rows.rows, this.held.length);
    for (let handle = start; handle < end; handle++) {
      const row = handle & ROW_INDEX_MASK;
      const flags = (u16[row * ROW.u16 + ROW.flags] as number) & (ROW_FLAG.live | ROW_FLAG.deleted);
      if (flags !== ROW_FLAG.live) continue;
      if (isOurs[u32[row * ROW.u32 + ROW.definition] as number] !== true) continue;
      // Of a row changed since it tells what was.
      const isChanged = (f64[row * ROW.f64 + ROW.offset] as number) > offset;
      const number = isChanged ? SEED_NUMBER.untold : (numbers[handle % SEED_ROWS] as number);
      const value = number === SEED_NUMBER.untold ? UNKNOWN : this.valueOf(number);
      if (value === UNKNOWN) ask(handle);
      else index.enter(handle, value);
    }
  }

  private numbersFrom(first: number): Float64Array {
    if (first !== this.first) {
      this.first = first;
      this.numbers = this.seed.numbersFrom(first) ?? UNTOLD;
    }
    return this.numbers;
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
