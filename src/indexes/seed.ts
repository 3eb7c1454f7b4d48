/**
 * What a snapshot says of indexed paths, so that an index is built without reading the contexts. It is
 * derived from them, tells what it knows and nothing for certain: whatever it does not tell, the
 * context does.
 */

/** Rows whose numbers are read at a time. */
export const SEED_ROWS = 4096;
/** Numbers of a row that stand for no value: ask the context; neither a scalar nor a list is there. */
export const SEED_NUMBER = { untold: 0, none: 1, first: 2 } as const;

export interface IndexSeed {
  /** The snapshot is the state after this record: what it says of a row changed later is not true any more. */
  readonly offset: number;
  /** undefined: it says nothing of this path. Never throws: what cannot be read is not told. */
  find(machine: string, path: string): PathSeed | undefined;
  /** Nobody will ask any more. */
  close(): void;
}

export interface PathSeed {
  /** Scalars as MessagePack, one behind the other; a number stands for the one at `starts[number - first]`. */
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  /** By row, of SEED_ROWS rows from `first` on; undefined when nothing is told. Holds until the next call. */
  numbersFrom(first: number): Float64Array | undefined;
}
