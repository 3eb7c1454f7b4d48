/**
 * 32-bit floats to little-endian bytes and back, bit by bit as they are: in one piece where the
 * machine has that order, which nearly all have.
 */

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export function copyFloatsOut(
  from: Float32Array,
  start: number,
  end: number,
  to: Uint8Array,
  position: number,
): void {
  if (IS_LITTLE_ENDIAN) {
    to.set(new Uint8Array(from.buffer, from.byteOffset + 4 * start, 4 * (end - start)), position);
    return;
  }
  const view = new DataView(to.buffer, to.byteOffset + position, 4 * (end - start));
  for (let i = start; i < end; i++) view.setFloat32(4 * (i - start), from[i] as number, true);
}

export function copyFloatsIn(
  from: Uint8Array,
  position: number,
  to: Float32Array,
  start: number,
  end: number,
): void {
  if (IS_LITTLE_ENDIAN) {
    const bytes = new Uint8Array(to.buffer, to.byteOffset + 4 * start, 4 * (end - start));
    bytes.set(from.subarray(position, position + 4 * (end - start)));
    return;
  }
  const view = new DataView(from.buffer, from.byteOffset + position, 4 * (end - start));
  for (let i = start; i < end; i++) to[i] = view.getFloat32(4 * (i - start), true);
}
