/**
 * A stable bottom-up merge sort of handles by a number each (Knuth, The Art of Computer Programming,
 * 5.2.4, natural runs first): both arrays are walked front to back, so a million rows take tens of
 * milliseconds, where a comparing sort that follows rows takes seconds.
 */

/** Runs shorter than this are sorted by insertion. */
const LEAST_RUN = 16;

/** Of handles whose numbers are equal: negative, 0 or positive. */
export type TieOrder = (a: number, b: number) => number;

/** Handles by ascending key; equal keys by `ties`, or as they came. Both arrays may be changed. */
export function sortByKey(
  keys: Float64Array,
  handles: Uint32Array,
  ties: TieOrder | undefined,
): Uint32Array {
  const sorter = new Sorter(keys, handles, ties);
  return sorter.sort();
}

class Sorter {
  private keys: Float64Array;
  private handles: Uint32Array;
  private keysTo: Float64Array;
  private handlesTo: Uint32Array;
  private readonly ties: TieOrder | undefined;

  constructor(keys: Float64Array, handles: Uint32Array, ties: TieOrder | undefined) {
    this.keys = keys;
    this.handles = handles;
    this.ties = ties;
    this.keysTo = new Float64Array(0);
    this.handlesTo = new Uint32Array(0);
  }

  sort(): Uint32Array {
    let runs = this.findRuns();
    if (runs.length <= 1) return this.handles;
    this.keysTo = new Float64Array(this.keys.length);
    this.handlesTo = new Uint32Array(this.handles.length);
    while (runs.length > 1) {
      const merged: number[] = [];
      for (let i = 0; i < runs.length; i += 2) {
        const start = runs[i] as number;
        const middle = runs[i + 1] ?? this.keys.length;
        const end = runs[i + 2] ?? this.keys.length;
        this.merge(start, middle, end);
        merged.push(start);
      }
      runs = merged;
      [this.keys, this.keysTo] = [this.keysTo, this.keys];
      [this.handles, this.handlesTo] = [this.handlesTo, this.handles];
    }
    return this.handles;
  }

  /** Where each ascending run starts; short ones are made longer. */
  private findRuns(): number[] {
    const count = this.keys.length;
    const starts: number[] = [];
    for (let start = 0; start < count;) {
      starts.push(start);
      let end = start + 1;
      while (end < count && !this.isBehind(end - 1, end)) end++;
      const least = Math.min(count, start + LEAST_RUN);
      for (; end < least; end++) this.insertInto(start, end);
      start = end;
    }
    return starts;
  }

  /** Does the entry at `a` belong behind the one at `b`? */
  private isBehind(a: number, b: number): boolean {
    const keyA = this.keys[a] as number;
    const keyB = this.keys[b] as number;
    if (keyA !== keyB) return keyA > keyB;
    if (this.ties === undefined) return false;
    return this.ties(this.handles[a] as number, this.handles[b] as number) > 0;
  }

  private insertInto(start: number, at: number): void {
    const { keys, handles } = this;
    for (let i = at; i > start && this.isBehind(i - 1, i); i--) {
      const key = keys[i] as number;
      const handle = handles[i] as number;
      keys[i] = keys[i - 1] as number;
      handles[i] = handles[i - 1] as number;
      keys[i - 1] = key;
      handles[i - 1] = handle;
    }
  }

  private merge(start: number, middle: number, end: number): void {
    const { keys, handles, keysTo, handlesTo, ties } = this;
    let a = start;
    let b = middle;
    for (let to = start; to < end; to++) {
      let takesA = b >= end;
      if (!takesA && a < middle) {
        const keyA = keys[a] as number;
        const keyB = keys[b] as number;
        takesA =
          keyA < keyB ||
          (keyA === keyB &&
            (ties === undefined || ties(handles[a] as number, handles[b] as number) <= 0));
      }
      const from = takesA ? a++ : b++;
      keysTo[to] = keys[from] as number;
      handlesTo[to] = handles[from] as number;
    }
  }
}
