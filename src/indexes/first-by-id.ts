/**
 * The first few of many rows by id: what a page needs of rows that tie. Rows are gathered, and
 * whenever there are many more than can be wanted, the rest is dropped; from then on one comparison
 * tells most others away. Rows that come in order, as those of counted or timed ids do, are not sorted.
 */
import type { InstanceStore } from '../instance/instance-store.ts';
import { sortById } from './row-order.ts';

/** Rows gathered beyond those wanted before they are sorted. */
const SLACK = 64;
/** From here on sorting by prefixes beats comparing ids (bench find). */
const MANY = 12;

export class FirstById {
  private readonly instances: InstanceStore;
  private readonly sign: number;
  private most = 0;
  private handles: number[] = [];
  /** The last of `most` rows in order, once there are as many; -1 before. */
  private last = -1;
  private readonly compare: (a: number, b: number) => number;

  constructor(instances: InstanceStore, isDescending: boolean) {
    this.instances = instances;
    this.sign = isDescending ? -1 : 1;
    this.compare = (a, b) => this.compareIds(a, b);
  }

  /** Begins anew: at most so many rows are wanted. */
  start(most: number): void {
    this.most = most;
    this.handles = [];
    this.last = -1;
  }

  add(handle: number): void {
    if (this.last >= 0 && this.compareIds(handle, this.last) > 0) return;
    if (this.handles.push(handle) >= 2 * this.most + SLACK) this.reduce();
  }

  /** In order, at most as many as are wanted. */
  sorted(): number[] {
    this.reduce();
    return this.handles;
  }

  private compareIds(a: number, b: number): number {
    const { instances, sign } = this;
    return sign * instances.ids.compare(instances.idRefOf(a), instances.idRefOf(b));
  }

  private reduce(): void {
    this.sort();
    const { handles, most } = this;
    if (handles.length < most) return;
    handles.length = most;
    this.last = handles[most - 1] as number;
  }

  private sort(): void {
    const { handles } = this;
    if (this.isSorted()) return;
    if (handles.length < MANY) {
      handles.sort(this.compare);
      return;
    }
    const sorted = sortById(this.instances, new Uint32Array(handles));
    const count = handles.length;
    for (let i = 0; i < count; i++)
      handles[this.sign > 0 ? i : count - 1 - i] = sorted[i] as number;
  }

  private isSorted(): boolean {
    const { handles } = this;
    for (let i = 1; i < handles.length; i++)
      if (this.compareIds(handles[i - 1] as number, handles[i] as number) > 0) return false;
    return true;
  }
}
