/** Lengths of at most 28 bits in front of what lies in a slot, as ByteWriter.varint writes them: read where they lie. */

export function readVarint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at] as number;
  if (byte < 128) return byte;
  let value = byte & 127;
  for (let i = 1, shift = 7; byte > 127; i++, shift += 7) {
    byte = bytes[at + i] as number;
    value |= (byte & 127) << shift;
  }
  return value;
}

/** Bytes it takes. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}
