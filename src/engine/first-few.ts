/**
 * The first `limit` of many handles in some order, without sorting all of them: a bounded heap
 * whose top is the last of those kept.
 */
export class FirstFew {
  private readonly heap: number[] = [];
  private readonly limit: number;
  private readonly order: (a: number, b: number) => number;

  constructor(limit: number, order: (a: number, b: number) => number) {
    this.limit = limit;
    this.order = order;
  }

  add(handle: number): void {
    const { heap, order } = this;
    if (heap.length < this.limit) {
      heap.push(handle);
      this.up(heap.length - 1);
    } else if (order(handle, heap[0] as number) < 0) {
      heap[0] = handle;
      this.down();
    }
  }

  /** In order. */
  sorted(): number[] {
    return this.heap.sort(this.order);
  }

  private up(from: number): void {
    const { heap, order } = this;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (order(heap[at] as number, heap[parent] as number) <= 0) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private down(): void {
    const { heap, order } = this;
    for (let at = 0; ;) {
      let last = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2 && child < heap.length; child++) {
        if (order(heap[child] as number, heap[last] as number) > 0) last = child;
      }
      if (last === at) return;
      this.swap(at, last);
      at = last;
    }
  }

  private swap(a: number, b: number): void {
    const { heap } = this;
    const kept = heap[a] as number;
    heap[a] = heap[b] as number;
    heap[b] = kept;
  }
}
