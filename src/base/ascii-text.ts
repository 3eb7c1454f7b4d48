/**
 * Short ASCII to a string. One call with all the codes as arguments takes half the time of any loop,
 * list or native call (bench/micro/codec.mjs), so every number of codes must stand in the source.
 */
const { fromCharCode } = String;

/** The text of 1 to 16 bytes; undefined when there are more, one is not ASCII, or the buffer ends near. */
export function asciiText(bytes: Uint8Array, at: number, size: number): string | undefined {
  if (size > 16 || at + 16 > bytes.length) return undefined;
  let all = 0;
  for (let i = at; i < at + size; i++) all |= bytes[i] as number;
  if (all > 127) return undefined;
  return size <= 8 ? upTo8(bytes, at, size) : upTo16(bytes, at, size);
}

function upTo8(bytes: Uint8Array, at: number, size: number): string {
  const c0 = bytes[at] as number;
  const c1 = bytes[at + 1] as number;
  const c2 = bytes[at + 2] as number;
  const c3 = bytes[at + 3] as number;
  const c4 = bytes[at + 4] as number;
  const c5 = bytes[at + 5] as number;
  const c6 = bytes[at + 6] as number;
  const c7 = bytes[at + 7] as number;
  switch (size) {
    case 1:
      return fromCharCode(c0);
    case 2:
      return fromCharCode(c0, c1);
    case 3:
      return fromCharCode(c0, c1, c2);
    case 4:
      return fromCharCode(c0, c1, c2, c3);
    case 5:
      return fromCharCode(c0, c1, c2, c3, c4);
    case 6:
      return fromCharCode(c0, c1, c2, c3, c4, c5);
    case 7:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6);
    default:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7);
  }
}

function upTo16(bytes: Uint8Array, at: number, size: number): string {
  const c0 = bytes[at] as number;
  const c1 = bytes[at + 1] as number;
  const c2 = bytes[at + 2] as number;
  const c3 = bytes[at + 3] as number;
  const c4 = bytes[at + 4] as number;
  const c5 = bytes[at + 5] as number;
  const c6 = bytes[at + 6] as number;
  const c7 = bytes[at + 7] as number;
  const c8 = bytes[at + 8] as number;
  const c9 = bytes[at + 9] as number;
  const c10 = bytes[at + 10] as number;
  const c11 = bytes[at + 11] as number;
  const c12 = bytes[at + 12] as number;
  const c13 = bytes[at + 13] as number;
  const c14 = bytes[at + 14] as number;
  const c15 = bytes[at + 15] as number;
  switch (size) {
    case 9:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7, c8);
    case 10:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9);
    case 11:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10);
    case 12:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11);
    case 13:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12);
    case 14:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13);
    case 15:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14);
    default:
      return fromCharCode(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15);
  }
}
