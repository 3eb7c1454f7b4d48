/**
 * Finds what lies at one path of own members in packed values, again and again, without making the
 * rest: the index side of readPackedPath (bench apply, with indexes). Remembers per shape where the
 * path's names stand. Only objects have members; a list has none.
 */
import { readValue } from './read-value.ts';
import { RECORD } from './format.ts';
import { MAX_SHAPES, type ShapeTable } from './shape-table.ts';
import { skipPacked, skipValue } from './skip.ts';
import { bodyAt, isMap, sizeAt } from './structure.ts';

const UNKNOWN = -2;
const ABSENT = -1;

export class PathLocator {
  private readonly shapes: ShapeTable;
  private readonly path: readonly string[];
  /** By level and shape: place of the level's name among the shape's keys. */
  private readonly places: Int8Array[];

  constructor(shapes: ShapeTable, path: readonly string[]) {
    this.shapes = shapes;
    this.path = path;
    this.places = path.map(() => new Int8Array(MAX_SHAPES).fill(UNKNOWN));
  }

  /** Where the value begins, -1 when there is none. `start`: of the packed object. */
  find(bytes: Uint8Array, start: number): number {
    let position = start;
    for (let level = 0; level < this.path.length; level++) {
      const lead = bytes[position] as number;
      if (lead === RECORD) position = this.inRecord(bytes, position, level);
      else if (isMap(lead)) position = this.inMap(bytes, position, level);
      else return -1;
      if (position < 0) return -1;
    }
    return position;
  }

  private inRecord(bytes: Uint8Array, start: number, level: number): number {
    const { shapes } = this;
    const shape = shapes.idAt(bytes, start + 1);
    const place = this.placeIn(shape, level);
    if (place < 0) return -1;
    let position = start + (shape < 128 ? 2 : 3);
    for (let i = 0; i < place; i++) position = skipPacked(shapes, bytes, position);
    return position;
  }

  private placeIn(shape: number, level: number): number {
    const places = this.places[level] as Int8Array;
    const known = places[shape] as number;
    if (known !== UNKNOWN) return known;
    const names: readonly string[] | undefined = this.shapes.namesOf(shape);
    if (names === undefined) throw new RangeError(`there is no shape ${shape}`);
    const found = names.indexOf(this.path[level] as string);
    places[shape] = found < 0 ? ABSENT : found;
    return found;
  }

  /** Contexts beyond the limits of the shape table: rare. */
  private inMap(bytes: Uint8Array, start: number, level: number): number {
    const { shapes } = this;
    const name = this.path[level];
    let position = bodyAt(bytes, start);
    let found = -1;
    for (let left = sizeAt(bytes, start); left > 0; left--) {
      const valueAt = skipValue(bytes, position);
      if (readValue(bytes, position, valueAt) === name) found = valueAt;
      position = skipPacked(shapes, bytes, valueAt);
    }
    return found;
  }
}
