/**
 * The bytes of a value: MessagePack as in its specification, without bin, ext and float32, and
 * one byte of our own. Numbers stay numbers and bigints stay bigints, because only bigints are
 * written as 64-bit integers. Limits hold for writing and for reading alike.
 */
import { MiB } from '../base/units.ts';

/** Arrays and objects inside each other; also what ends a cycle. */
export const MAX_DEPTH = 100;
/** Levels that a frame of ours around values of callers may add: readers allow for them. */
export const ENVELOPE_LEVELS = 8;
/** One encoded value: the limit of a record and of a folded context. */
export const MAX_VALUE_BYTES: number = 16 * MiB;

/**
 * Starts a shape record in packed values: shape id as a varint, then the values in the order of
 * the shape's keys. MessagePack leaves 0xc1 unused for ever, so packed and plain never meet.
 */
export const RECORD = 0xc1;

export const NIL = 0xc0;
export const FALSE = 0xc2;
export const TRUE = 0xc3;
export const FLOAT64 = 0xcb;
export const UINT8 = 0xcc;
export const UINT16 = 0xcd;
export const UINT32 = 0xce;
export const UINT64 = 0xcf;
export const INT8 = 0xd0;
export const INT16 = 0xd1;
export const INT32 = 0xd2;
export const INT64 = 0xd3;
export const STR8 = 0xd9;
export const STR16 = 0xda;
export const STR32 = 0xdb;
export const ARRAY16 = 0xdc;
export const ARRAY32 = 0xdd;
export const MAP16 = 0xde;
export const MAP32 = 0xdf;
/** First byte of the short forms; the count is in the low bits. */
export const FIXMAP = 0x80;
export const FIXARRAY = 0x90;
export const FIXSTR = 0xa0;
