/**
 * The lead bytes of arrays, maps and shape records: what starts here, how many, and where the
 * first member is. Relies on whole bytes, as skip.ts does.
 */
import type { ByteWriter } from '../base/bytes.ts';
import {
  ARRAY16,
  ARRAY32,
  FIXARRAY,
  FIXMAP,
  FIXSTR,
  MAP16,
  MAP32,
  NIL,
  RECORD,
  STR32,
  STR8,
} from './format.ts';

export function isStructure(lead: number): boolean {
  return (lead >= FIXMAP && lead < FIXSTR) || (lead >= ARRAY16 && lead <= MAP32);
}

export function isArray(lead: number): boolean {
  return (lead >= FIXARRAY && lead < FIXSTR) || lead === ARRAY16 || lead === ARRAY32;
}

export function isMap(lead: number): boolean {
  return (lead >= FIXMAP && lead < FIXARRAY) || lead === MAP16 || lead === MAP32;
}

export function isText(lead: number): boolean {
  return (lead >= FIXSTR && lead < NIL) || (lead >= STR8 && lead <= STR32);
}

/** Where the UTF-8 of the text that starts here begins. */
export function textStart(bytes: Uint8Array, start: number): number {
  const lead = bytes[start] as number;
  if (lead < NIL) return start + 1;
  return start + (lead === STR8 ? 2 : lead === STR32 ? 5 : 3);
}

/** Items of the array, or entries of the map, that starts here. */
export function sizeAt(bytes: Uint8Array, start: number): number {
  const lead = bytes[start] as number;
  if (lead < FIXSTR) return lead & 15;
  const low = ((bytes[start + 1] as number) << 8) | (bytes[start + 2] as number);
  if (lead === ARRAY16 || lead === MAP16) return low;
  return low * 0x10000 + (((bytes[start + 3] as number) << 8) | (bytes[start + 4] as number));
}

/** Where its first item or key starts. */
export function bodyAt(bytes: Uint8Array, start: number): number {
  const lead = bytes[start] as number;
  if (lead < FIXSTR) return start + 1;
  return start + (lead === ARRAY16 || lead === MAP16 ? 3 : 5);
}

/** Appends a map's lead bytes in their shortest form. */
export function putMapSize(out: ByteWriter, size: number): void {
  if (size < 16) return out.u8(FIXMAP | size);
  out.reserve(5);
  const wide = size >= 0x10000;
  out.u8(wide ? MAP32 : MAP16);
  if (wide) out.view.setUint32(out.position, size);
  else out.view.setUint16(out.position, size);
  out.position += wide ? 4 : 2;
}

/** Starts a record: its values follow. */
export function putRecord(out: ByteWriter, shape: number): void {
  out.u8(RECORD);
  out.varint(shape);
}
