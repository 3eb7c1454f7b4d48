/**
 * A set of image digests, 8 bytes each: open addressing, doubled when it is two thirds full. Counts
 * what was seen of ten million states in 256 MiB at most. Digests are integers below 2^53; 0 stands
 * for an empty place.
 */

const FIRST_BITS = 16;

export class DigestSet {
  size = 0;
  private bits: number;
  private slots: Float64Array;

  constructor(bits: number = FIRST_BITS) {
    this.bits = bits;
    this.slots = new Float64Array(2 ** bits);
  }

  /** True when it was not there. */
  add(digest: number): boolean {
    const value = digest === 0 ? 1 : digest;
    if (!place(this.slots, this.bits, value)) return false;
    this.size++;
    if (this.size * 3 > this.slots.length * 2) this.grow();
    return true;
  }

  private grow(): void {
    const before = this.slots;
    this.bits++;
    this.slots = new Float64Array(2 ** this.bits);
    for (const value of before) if (value !== 0) place(this.slots, this.bits, value);
  }
}

function place(slots: Float64Array, bits: number, value: number): boolean {
  const mask = slots.length - 1;
  const low = (value % 2 ** 32) | 0;
  const high = Math.floor(value / 2 ** 32);
  let at = (Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> (32 - bits)) & mask;
  for (;;) {
    const there = slots[at] as number;
    if (there === 0) {
      slots[at] = value;
      return true;
    }
    if (there === value) return false;
    at = (at + 1) & mask;
  }
}
