/**
 * What rows have at the indexed paths of their machines, as columns of a snapshot: column k holds, for
 * each row, a number for what is at path k of its machine. Values are numbered per path in the order
 * in which the rows have them. A path with too many different ones is told in part: what has no
 * number is read from the context (see indexes/seed.ts).
 */
import { ByteWriter } from '../base/bytes.ts';
import { MAX_ID_BYTES } from '../base/id-slot.ts';
import { IdTable } from '../base/id-table.ts';
import { SlabHeap } from '../base/slab-heap.ts';
import { type IndexSeed, type PathSeed, SEED_NUMBER } from '../indexes/seed.ts';
import type { ContextStore } from '../instance/context-store.ts';
import type { MachineGroup } from '../instance/machine-store.ts';
import { namesOf } from '../query/paths.ts';
import { RECORD } from '../value/format.ts';
import { PathLocator } from '../value/path-locator.ts';
import type { ShapeTable } from '../value/shape-table.ts';
import { skipPacked } from '../value/skip.ts';
import { isArray, isStructure } from '../value/structure.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { newColumns } from './column-chunk.ts';
import { packingOf, writeColumn } from './columns.ts';
import { CHUNK, COLUMN, INDEX_HEADER } from './format.ts';

/** Bytes of values a path may have for each instance of its machine, and in any case. */
const VALUE_BYTES = { perInstance: 2, least: 4096 } as const;

export class IndexColumnsWriter {
  /** By definition index. */
  private readonly pathsOf: (readonly PathValues[])[] = [];
  private readonly all: PathValues[] = [];
  private readonly columns: Float64Array[];
  private readonly contexts: ContextStore;
  /** Rows changed by later records are not what the snapshot before tells of them. */
  private readonly toldThrough: number;
  private first = 0;

  /** `seed`: of the snapshot the state was loaded from, which spares asking the contexts of rows not changed since. */
  constructor(
    groups: Iterable<MachineGroup>,
    contexts: ContextStore,
    hashKey: Uint8Array,
    seed: IndexSeed | undefined,
  ) {
    this.contexts = contexts;
    this.toldThrough = seed?.offset ?? -1;
    let most = 0;
    for (const group of groups) {
      const paths = group.indexes.map((path) => new PathValues(group, path, hashKey, seed));
      this.all.push(...paths);
      for (const one of group.versions.values()) if (one.isApplied) this.pathsOf[one.index] = paths;
      most = Math.max(most, paths.length);
    }
    this.columns = newColumns(most);
  }

  /** A new chunk. */
  begin(first: number): void {
    this.first = first;
    for (const column of this.columns) column.fill(SEED_NUMBER.untold);
    for (const path of this.all) path.begin(first);
  }

  /** A row of the chunk; instances that are deleted are in no index. */
  add(handle: number, definition: number, offset: number): void {
    const paths = this.pathsOf[definition];
    if (paths === undefined || paths.length === 0) return;
    const row = handle - this.first;
    const isTold = offset <= this.toldThrough;
    for (let place = 0; place < paths.length; place++) {
      const path = paths[place] as PathValues;
      let number: number = isTold ? path.numberTold(row) : SEED_NUMBER.untold;
      if (number === SEED_NUMBER.untold) number = this.numberIn(path, handle);
      (this.columns[place] as Float64Array)[row] = number;
    }
  }

  private numberIn(path: PathValues, handle: number): number {
    this.contexts.locate(handle);
    return path.numberOf(this.contexts.bytes, this.contexts.start);
  }

  /** The chunk, of so many rows; none when no machine has an index. */
  endRows(sink: ChunkSink, rows: number): void {
    const { columns, first } = this;
    if (columns.length === 0) return;
    const out = sink.begin(CHUNK.indexColumns);
    const start = out.position;
    const size = INDEX_HEADER.size + columns.length * COLUMN.size;
    const packings = columns.map((column) => packingOf(column, rows));
    out.reserve(size);
    out.bytes.fill(0, start, start + size);
    out.view.setUint32(start + INDEX_HEADER.first, first, true);
    out.view.setUint32(start + INDEX_HEADER.rows, rows, true);
    out.view.setUint32(start + INDEX_HEADER.columns, columns.length, true);
    packings.forEach(({ base, width }, place) => {
      const at = start + INDEX_HEADER.size + place * COLUMN.size;
      out.view.setFloat64(at + COLUMN.base, base, true);
      out.view.setUint32(at + COLUMN.width, width, true);
    });
    out.position += size;
    packings.forEach((packing, place) =>
      writeColumn(out, packing, columns[place] as Float64Array, rows),
    );
    sink.end(CHUNK.indexColumns, start, rows);
  }

  /** Behind the last chunk: what the numbers stand for. */
  end(sink: ChunkSink): void {
    for (const path of this.all) path.write(sink);
  }
}

/** The distinct scalars of one path, numbered. */
class PathValues {
  private readonly machine: string;
  private readonly path: string;
  private readonly place: number;
  private readonly shapes: ShapeTable;
  private readonly locator: PathLocator;
  private readonly heap = new SlabHeap();
  private readonly refs: number[] = [];
  private readonly table: IdTable;
  private readonly values = new ByteWriter(4096);
  private readonly maxBytes: number;
  private readonly told: PathSeed | undefined;
  private toldNumbers: Float64Array | undefined;
  /** By value of the seed its number here, 0 while it has none. */
  private readonly renumbered: Uint32Array;

  constructor(group: MachineGroup, path: string, hashKey: Uint8Array, seed: IndexSeed | undefined) {
    this.told = seed?.find(group.name, path);
    this.renumbered = new Uint32Array(this.told?.starts.length ?? 0);
    this.machine = group.name;
    this.path = path;
    this.place = group.indexes.indexOf(path);
    this.shapes = group.shapes;
    this.locator = new PathLocator(group.shapes, namesOf(path));
    this.table = new IdTable({ heap: this.heap, hashKey, refOf: this });
    let instances = 0;
    for (const one of group.versions.values()) instances += one.rows;
    this.maxBytes = Math.max(VALUE_BYTES.least, VALUE_BYTES.perInstance * instances);
  }

  /** @internal the table asks for what it compares with */
  idRefOf(value: number): number {
    return this.refs[value] as number;
  }

  begin(first: number): void {
    this.toldNumbers = this.told?.numbersFrom(first);
  }

  /** What the seed tells of a row of the chunk. */
  numberTold(row: number): number {
    const number = this.toldNumbers?.[row] ?? SEED_NUMBER.untold;
    if (number < SEED_NUMBER.first || this.told === undefined) return number;
    const { bytes, starts } = this.told;
    const value = number - SEED_NUMBER.first;
    const known = this.renumbered[value] ?? SEED_NUMBER.untold;
    if (known !== SEED_NUMBER.untold || value >= starts.length) return known;
    const found = this.numberOfValue(
      bytes,
      starts[value] as number,
      starts[value + 1] ?? bytes.length,
    );
    this.renumbered[value] = found;
    return found;
  }

  /** Of the packed context at `start`. */
  numberOf(bytes: Uint8Array, start: number): number {
    const at = this.locator.find(bytes, start);
    if (at < 0) return SEED_NUMBER.none;
    const lead = bytes[at] as number;
    if (isArray(lead)) return SEED_NUMBER.untold;
    if (lead === RECORD || isStructure(lead)) return SEED_NUMBER.none;
    return this.numberOfValue(bytes, at, skipPacked(this.shapes, bytes, at));
  }

  private numberOfValue(bytes: Uint8Array, at: number, end: number): number {
    if (end - at > MAX_ID_BYTES) return SEED_NUMBER.untold;
    const known = this.table.getBytes(bytes, at, end);
    return known >= 0 ? SEED_NUMBER.first + known : this.add(bytes, at, end);
  }

  private add(bytes: Uint8Array, at: number, end: number): number {
    if (this.values.position + end - at > this.maxBytes) return SEED_NUMBER.untold;
    const value = this.refs.length;
    this.refs.push(this.table.put(value, bytes, at, end));
    this.values.raw(bytes, at, end);
    return SEED_NUMBER.first + value;
  }

  write(sink: ChunkSink): void {
    const out = sink.begin(CHUNK.indexValues);
    const start = out.position;
    out.text(this.machine);
    out.text(this.path);
    out.varint(this.place);
    out.varint(this.values.position);
    out.raw(this.values.bytes, 0, this.values.position);
    sink.end(CHUNK.indexValues, start, this.refs.length);
  }
}
