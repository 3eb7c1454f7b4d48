/** A sorted pool, as assembly/pool.ts keeps it: keys and marks (slot << 1 | expanded) in two arrays. */
export class ScalarPool {
  size = 0;
  /** The key an entry must be under to get in. */
  bound = 0xffffffff;
  private limit = 0;
  private readonly words: Uint32Array;
  private readonly keys: number;
  private readonly marks: number;

  constructor(words: Uint32Array, keys: number, marks: number) {
    this.words = words;
    this.keys = keys;
    this.marks = marks;
  }

  start(limit: number): void {
    this.limit = limit;
    this.size = 0;
    this.bound = 0xffffffff;
  }

  key(place: number): number {
    return this.words[this.keys + place] ?? 0;
  }

  slot(place: number): number {
    return (this.words[this.marks + place] ?? 0) >>> 1;
  }

  isExpanded(place: number): boolean {
    return ((this.words[this.marks + place] ?? 0) & 1) === 1;
  }

  expand(place: number): void {
    this.words[this.marks + place] = (this.slot(place) << 1) | 1;
  }

  /** Puts a node behind all whose key is not larger; in a full pool the last falls out. Its place. */
  put(key: number, slot: number): number {
    const { words, keys, marks } = this;
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.key(middle) <= key) low = middle + 1;
      else high = middle;
    }
    const last = this.size < this.limit ? this.size++ : this.size - 1;
    words.copyWithin(keys + low + 1, keys + low, keys + last);
    words.copyWithin(marks + low + 1, marks + low, marks + last);
    words[keys + low] = key;
    words[marks + low] = slot << 1;
    if (this.size === this.limit) this.bound = this.key(this.size - 1);
    return low;
  }
}
