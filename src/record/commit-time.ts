/** The time of a commit without reading its records: it stands in the first of them, right behind its kind and fields. */
import { FIELD } from './kind.ts';

const FIELDS_AT = 1;
const TIME_AT = 2;

/** Milliseconds; `start` and `end` of the first record of a commit. undefined: it states none. */
export function commitTime(bytes: Uint8Array, start: number, end: number): number | undefined {
  const fields = bytes[start + FIELDS_AT] as number;
  if (start + TIME_AT + 8 > end || (fields & FIELD.time) === 0) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset + start + TIME_AT, 8).getFloat64(0, true);
}
