/**
 * ShortTextCache: short ASCII text to strings without a native call, which costs more than the
 * text. Direct-mapped by a hash of the bytes and verified against them, so a collision only costs
 * time. Holds at most SLOTS strings of MAX_BYTES characters.
 */

export const MAX_BYTES = 32;
const SLOTS = 512;

export class ShortTextCache {
  private readonly slots: string[] = [];

  get memoryBytes(): number {
    return this.slots.length * (8 + 16 + MAX_BYTES);
  }

  /** The string of `size` (up to MAX_BYTES) bytes, or undefined when one of them is not ASCII. */
  get(bytes: Uint8Array, start: number, size: number): string | undefined {
    if (this.slots.length === 0) for (let i = 0; i < SLOTS; i++) this.slots.push('');
    let hash = size;
    let all = 0;
    for (let i = start; i < start + size; i++) {
      const byte = bytes[i] as number;
      all |= byte;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    if (all > 127) return undefined;
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.slots[slot] as string;
    if (known.length === size) {
      let i = 0;
      while (i < size && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === size) return known;
    }
    const text = asciiText(bytes, start, size);
    this.slots[slot] = text;
    return text;
  }
}

function asciiText(bytes: Uint8Array, start: number, size: number): string {
  let text = '';
  for (let i = start; i < start + size; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}
