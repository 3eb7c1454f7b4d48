/**
 * The order of an answer, and the place in it where a page begins. Ties are broken by id, and the
 * direction turns both. Relies on rows that do not change while it is used: one query, one turn.
 */
import { compareIdTo } from '../../base/id-slot.ts';
import type { InstanceStore } from '../../instance/instance-store.ts';
import type { PathIndex } from '../../indexes/path-index.ts';
import { compareValues, type Scalar } from '../../query/order.ts';
import type { CursorPosition } from '../../query/cursor.ts';
import type { State } from '../../state/state.ts';
import { readPackedPath } from '../../value/read-packed.ts';
import type { WantedOrder } from './selection.ts';

/** Where the page before ended. */
export interface Bound {
  readonly value: Scalar | undefined;
  readonly id: Buffer;
  /** Last offset when the first page was made. */
  readonly firstOffset: number;
}

export function boundOf(position: CursorPosition): Bound {
  const { value, id, firstOffset } = position;
  return { value, id: Buffer.from(id), firstOffset };
}

export class Ordering {
  readonly wanted: WantedOrder;
  /** Its keys tell the order without looking at contexts. */
  private readonly index: PathIndex | undefined;
  private readonly state: State;
  private readonly instances: InstanceStore;
  private readonly sign: number;
  /** Values of a path without such an index, decoded once. */
  private readonly decoded = new Map<number, unknown>();
  readonly compare: (a: number, b: number) => number;

  constructor(state: State, wanted: WantedOrder, index: PathIndex | undefined) {
    this.state = state;
    this.instances = state.instances;
    this.wanted = wanted;
    this.index = index?.tellsOrder === true ? index : undefined;
    this.sign = wanted.isDescending ? -1 : 1;
    const { instances, sign } = this;
    const { ids } = instances;
    this.compare = (a, b) =>
      sign *
      (this.compareSortValues(a, b) || ids.compare(instances.idRefOf(a), instances.idRefOf(b)));
  }

  /** May the sort value of an instance change while somebody pages through it? */
  get isMutable(): boolean {
    return this.wanted.by === 'updatedAt' || this.wanted.by === 'path';
  }

  private compareSortValues(a: number, b: number): number {
    const { instances, index, wanted } = this;
    if (wanted.by === 'id') return 0;
    if (wanted.by === 'createdAt') return instances.createdAt(a) - instances.createdAt(b);
    if (wanted.by === 'updatedAt') return instances.updatedAt(a) - instances.updatedAt(b);
    if (index !== undefined && index.has(a) && index.has(b))
      return index.sorted.compare(index.valueOf(a), index.valueOf(b));
    return compareValues(this.valueOf(a), this.valueOf(b));
  }

  /** What a row is ordered by; undefined for 'id', and for a path that holds no scalar. */
  sortValue(handle: number): Scalar | undefined {
    const { instances, wanted } = this;
    if (wanted.by === 'id') return undefined;
    if (wanted.by === 'createdAt') return instances.createdAt(handle);
    if (wanted.by === 'updatedAt') return instances.updatedAt(handle);
    const value = this.valueOf(handle);
    return typeof value === 'object' && value !== null ? undefined : (value as Scalar);
  }

  private valueOf(handle: number): unknown {
    const { decoded, instances } = this;
    if (decoded.has(handle)) return decoded.get(handle);
    const { contexts } = instances;
    contexts.locate(handle);
    const { shapes } = this.state.machines.at(instances.definition(handle)).machine;
    const value = readPackedPath(shapes, contexts.bytes, contexts.start, this.wanted.names);
    decoded.set(handle, value);
    return value;
  }

  /** Positive when the row comes after the bound, in the direction of the order. */
  compareToBound(handle: number, bound: Bound): number {
    const value = this.sortValue(handle);
    const byValue =
      typeof value === 'number' && typeof bound.value === 'number'
        ? value - bound.value
        : compareValues(value, bound.value);
    if (byValue !== 0) return this.sign * byValue;
    const { instances } = this;
    return this.sign * compareIdTo(instances.heap, instances.idRefOf(handle), bound.id);
  }
}
