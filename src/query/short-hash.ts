/**
 * 64 bits of a text, as 16 hexadecimal digits: two lanes in the manner of FNV-1a (Fowler, Noll and Vo)
 * with primes of their own, each mixed at the end as MurmurHash3 does. Against accidents: whoever
 * wants two texts of one hash finds them.
 */

export function shortHash(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x2f0b4c47;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995);
    // Without it a unit would only reach the bits above its own.
    b ^= b >>> 15;
  }
  return hex(mixed(a ^ text.length)) + hex(mixed(b));
}

function mixed(lane: number): number {
  let h = lane ^ (lane >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hex(lane: number): string {
  return lane.toString(16).padStart(8, '0');
}
