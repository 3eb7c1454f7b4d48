/**
 * ShortTextCache: short ASCII text to strings without a native call, which costs more than the
 * text, and without making the same string again: payloads repeat currencies and names of steps. What
 * contexts have of at most 16 bytes is made anew sooner than it is looked up (base/ascii-text.ts).
 * Direct-mapped by a few of the bytes and verified against all of them, so a collision only costs
 * time. Holds at most SLOTS strings of MAX_BYTES characters.
 */

export const MAX_BYTES = 32;
const SLOTS = 512;

export class ShortTextCache {
  private readonly slots: string[] = [];
  /** One list of character codes per length: what `fromCharCode` is applied to. */
  private readonly codes: number[][] = [];

  get memoryBytes(): number {
    return this.slots.length * (8 + 16 + MAX_BYTES);
  }

  /** The string of `size` (1 to MAX_BYTES) bytes, or undefined when one of them is not ASCII. */
  get(bytes: Uint8Array, start: number, size: number): string | undefined {
    const last = start + size - 1;
    const ends =
      ((bytes[start] as number) << 16) ^
      ((bytes[last - 1] as number) << 8) ^
      (bytes[last] as number);
    const hash = Math.imul(
      ends ^ ((bytes[start + (size >> 1)] as number) << 10) ^ (size << 21),
      0x9e3779b1,
    );
    const slot = hash >>> 23;
    const known = this.slots[slot];
    if (known !== undefined && known.length === size) {
      let i = 0;
      while (i < size && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === size) return known;
    }
    return this.add(bytes, start, size, slot);
  }

  private add(bytes: Uint8Array, start: number, size: number, slot: number): string | undefined {
    if (this.slots.length === 0) this.fill();
    const codes = this.codes[size] as number[];
    let all = 0;
    for (let i = 0; i < size; i++) all |= codes[i] = bytes[start + i] as number;
    if (all > 127) return undefined;
    const text = String.fromCharCode.apply(null, codes);
    this.slots[slot] = text;
    return text;
  }

  /** On first use: a table that never decodes text costs nothing. */
  private fill(): void {
    for (let i = 0; i < SLOTS; i++) this.slots.push('');
    for (let size = 0; size <= MAX_BYTES; size++) this.codes.push(Array<number>(size).fill(0));
  }
}
