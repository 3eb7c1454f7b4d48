/**
 * CRC32C: the Castagnoli polynomial, reflected, as in RFC 3720 B.4 (zlib's crc32 is another one).
 * Short ranges take sixteen table lookups per sixteen bytes (slicing, after Kounavis and Berry),
 * long ones the native package where it is installed. Both give the same number for every input.
 */
import { createRequire } from 'node:module';

/**
 * The checksum of `bytes` from `start` up to but not including `end`, as an unsigned 32-bit number.
 * With the checksum of what came before as `seed`, that of the whole.
 */
export type Crc32c = (bytes: Uint8Array, start: number, end: number, seed?: number) => number;

type NativeCrc32c = (bytes: Uint8Array, seed: number) => number;

const POLYNOMIAL = 0x82f63b78;

/**
 * From this length on the native package computes. With warm caches the two cross at 290 bytes
 * (115 ns for the native call before its first byte); it starts earlier because it reads no tables
 * and so loses nothing when they are cold.
 */
const NATIVE_MIN_BYTES = 256;

/**
 * Sixteen tables of 256: entry k*256+b is the remainder of byte b with k zero bytes behind it.
 * Built at import, against the rule: it is pure, takes a tenth of a millisecond, and as a constant
 * of the module its address is part of the machine code.
 */
const TABLES: Int32Array = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL : 0);
    tables[byte] = rest;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (before >>> 8) ^ (tables[before & 255] as number);
  }
  return tables;
}

function byTables(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const t = TABLES;
  const blocksEnd = start + ((end - start) & ~15);
  let crc = ~seed;
  let i = start;
  for (; i < blocksEnd; i += 16) {
    crc =
      (t[3840 + ((crc ^ (bytes[i] as number)) & 255)] as number) ^
      (t[3584 + (((crc >>> 8) ^ (bytes[i + 1] as number)) & 255)] as number) ^
      (t[3328 + (((crc >>> 16) ^ (bytes[i + 2] as number)) & 255)] as number) ^
      (t[3072 + ((crc >>> 24) ^ (bytes[i + 3] as number))] as number) ^
      (t[2816 + (bytes[i + 4] as number)] as number) ^
      (t[2560 + (bytes[i + 5] as number)] as number) ^
      (t[2304 + (bytes[i + 6] as number)] as number) ^
      (t[2048 + (bytes[i + 7] as number)] as number) ^
      (t[1792 + (bytes[i + 8] as number)] as number) ^
      (t[1536 + (bytes[i + 9] as number)] as number) ^
      (t[1280 + (bytes[i + 10] as number)] as number) ^
      (t[1024 + (bytes[i + 11] as number)] as number) ^
      (t[768 + (bytes[i + 12] as number)] as number) ^
      (t[512 + (bytes[i + 13] as number)] as number) ^
      (t[256 + (bytes[i + 14] as number)] as number) ^
      (t[bytes[i + 15] as number] as number);
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[i] as number)) & 255] as number);
  return ~crc >>> 0;
}

function loadNative(): NativeCrc32c | null {
  try {
    const module = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: NativeCrc32c };
    return module.crc32c;
  } catch {
    // Whatever the reason (not installed, no binary for this platform), the tables know the answer.
    return null;
  }
}

/** A checksum function; `native: false` does without the native package. It is loaded at the first long range. */
export function createCrc32c(options: { readonly native?: boolean } = {}): Crc32c {
  let native: NativeCrc32c | null | undefined = options.native === false ? null : undefined;
  return (bytes, start, end, seed = 0) => {
    // A range outside would be padded with silent zeros here and cut short by the native side.
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(`${start} to ${end} reaches beyond ${bytes.length} bytes`);
    }
    if (end - start < NATIVE_MIN_BYTES) return byTables(bytes, start, end, seed);
    native ??= native === undefined ? loadNative() : null;
    if (native === null) return byTables(bytes, start, end, seed);
    const isWhole = start === 0 && end === bytes.length;
    const range = isWhole
      ? bytes
      : new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
    return native(range, seed);
  };
}

/** The fastest checksum function this installation has. */
export const crc32c: Crc32c = createCrc32c();

/** Loads the native package, which takes some milliseconds: for whoever waits for something else. */
export function warmCrc32c(): void {
  crc32c(new Uint8Array(NATIVE_MIN_BYTES), 0, NATIVE_MIN_BYTES);
}
