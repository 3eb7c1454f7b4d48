/**
 * The index columns of a snapshot as a seed for indexes. Chunks are read and verified when they are
 * asked for, or ahead. They are derived, so nothing here fails: one that is damaged, or makes no sense,
 * tells nothing from then on, and is remembered for whoever speaks of damage.
 */
import { ByteReader } from '../base/byte-reader.ts';
import { StoreError, isStoreError } from '../base/errors.ts';
import type { ArenaSource } from '../base/slab.ts';
import { type IndexSeed, type PathSeed, SEED_ROWS } from '../indexes/seed.ts';
import { skipValue } from '../value/skip.ts';
import { columnBytes, readColumn } from './columns.ts';
import type { ChunkEntry } from './file-layout.ts';
import { CHUNK, CHUNK_ROWS, COLUMN, INDEX_HEADER, RAW_WIDTH } from './format.ts';

export function isOfIndexes(kind: number): boolean {
  return kind === CHUNK.indexColumns || kind === CHUNK.indexValues;
}

/** What a chunk of values is of. */
interface Told {
  readonly machine: string;
  readonly path: string;
  readonly place: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

export class SnapshotSeed implements IndexSeed {
  readonly offset: number;
  /** Why it tells nothing any more. */
  failure: StoreError | undefined;
  private readonly source: ArenaSource;
  private readonly entries: readonly ChunkEntry[];
  /** Their numbers in the file. */
  private readonly columns: number[] = [];
  private readonly values: number[] = [];
  /** What was read, by number in the file. */
  private readonly chunks = new Map<number, Buffer>();
  private told: readonly Told[] | undefined;
  private ahead = 0;
  private isClosed = false;

  constructor(entries: readonly ChunkEntry[], source: ArenaSource, offset: number) {
    this.entries = entries;
    this.source = source;
    this.offset = offset;
    entries.forEach(({ kind }, chunk) => {
      if (kind === CHUNK.indexColumns) this.columns.push(chunk);
      if (kind === CHUNK.indexValues) this.values.push(chunk);
    });
  }

  get isEmpty(): boolean {
    return this.values.length === 0;
  }

  close(): void {
    this.isClosed = true;
    this.told = [];
    this.chunks.clear();
  }

  loadAll(): void {
    while (this.loadMore(this.columns.length + 1));
  }

  /** Reads up to `count` chunks ahead; false when all are there. */
  loadMore(count: number): boolean {
    const all = this.isClosed ? 0 : this.columns.length + this.values.length;
    for (let end = Math.min(all, this.ahead + count); this.ahead < end; this.ahead++) {
      const { ahead, columns } = this;
      const isColumn = ahead < columns.length;
      this.chunk(isColumn ? columns[ahead] : this.values[ahead - columns.length]);
    }
    return this.ahead < all;
  }

  find(machine: string, path: string): PathSeed | undefined {
    this.told ??= this.sensible(() => this.values.map((chunk) => this.toldBy(chunk))) ?? [];
    const found = this.told.find((one) => one.machine === machine && one.path === path);
    if (found === undefined) return undefined;
    const { bytes, place } = found;
    const starts = this.sensible(() => startsOf(found));
    if (starts === undefined) return undefined;
    const into = new Float64Array(SEED_ROWS);
    const numbersFrom = (first: number): Float64Array | undefined =>
      this.sensible(() => this.readNumbers(first, place, into));
    return { bytes, starts, numbersFrom };
  }

  private toldBy(chunk: number): Told {
    const from = new ByteReader(this.chunk(chunk) ?? Buffer.alloc(0));
    const machine = from.text();
    const path = from.text();
    const place = from.varint();
    const bytes = from.sized();
    const count = Math.min(this.entries[chunk]?.count ?? 0, bytes.length);
    return { machine, path, place, count, bytes };
  }

  private readNumbers(first: number, place: number, into: Float64Array): Float64Array | undefined {
    const chunk = this.columns[first / CHUNK_ROWS];
    const bytes = this.chunk(chunk);
    if (bytes === undefined) return undefined;
    const rows = bytes.readUInt32LE(INDEX_HEADER.rows);
    const columns = bytes.readUInt32LE(INDEX_HEADER.columns);
    if (bytes.readUInt32LE(INDEX_HEADER.first) !== first || rows > CHUNK_ROWS || place >= columns)
      throw new RangeError(`index columns of rows from ${first} on are others`);
    let position = INDEX_HEADER.size + columns * COLUMN.size;
    for (let column = 0; ; column++) {
      const at = INDEX_HEADER.size + column * COLUMN.size;
      const width = bytes.readUInt32LE(at + COLUMN.width);
      const end = position + columnBytes(width, rows);
      if (width > RAW_WIDTH || end > bytes.length)
        throw new RangeError('index columns are longer than their chunk');
      if (column === place) {
        into.fill(0, rows);
        readColumn(bytes, position, { base: bytes.readDoubleLE(at), width }, rows, into);
        return into;
      }
      position = end;
    }
  }

  /** undefined: there is no such chunk, or it cannot be read. */
  private chunk(chunk: number | undefined): Buffer | undefined {
    if (chunk === undefined || this.isClosed) return undefined;
    let bytes = this.chunks.get(chunk);
    if (bytes === undefined) {
      bytes = this.sensible(() => this.source.loadArena(chunk));
      if (bytes !== undefined) this.chunks.set(chunk, bytes);
    }
    return bytes;
  }

  private sensible<T>(read: () => T): T | undefined {
    if (this.failure !== undefined) return undefined;
    try {
      return read();
    } catch (cause) {
      this.failure ??= isStoreError(cause) ? cause : senseless(cause);
      this.chunks.clear();
      return undefined;
    }
  }
}

/** Where each value begins. @throws {RangeError} they are not what their count says */
function startsOf({ bytes, count }: Told): Uint32Array {
  const starts = new Uint32Array(count);
  let at = 0;
  for (let value = 0; value < count; value++) {
    starts[value] = at;
    at = skipValue(bytes, at);
  }
  if (at !== bytes.length) throw new RangeError('values of an index do not fill their bytes');
  return starts;
}

/** It verified, and yet it tells nothing: only a bug writes that. */
function senseless(cause: unknown): StoreError {
  const message = `what a snapshot holds of indexes makes no sense: ${String(cause)}`;
  return new StoreError('INTERNAL_ERROR', message, { details: { outcome: 'not-done' }, cause });
}
