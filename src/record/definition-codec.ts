/**
 * Machine definitions to and from bytes. Definitions are rare and their `meta` is arbitrary data, so
 * a general MessagePack library writes them. Reading takes nothing on trust: the bytes go through
 * the strict reader of values, which is bounded by them, and then through the checks a definition
 * passed before it was written. What comes back is frozen at every level, as it was when it was put.
 */
import { Packr } from 'msgpackr';
import type { NormalisedDefinition } from '../machine/definition.ts';
import type { Plain } from '../machine/plain-data.ts';
import { readIndexes, validateDefinition } from '../machine/validate-definition.ts';
import { readEnveloped } from '../value/read-value.ts';

const OPTIONS = { useRecords: false, mapsAsObjects: false } as const;

export function encodeDefinition(definition: object): Uint8Array {
  return new Packr(OPTIONS).pack(definition);
}

/** @throws {RangeError} when the bytes are no definition */
export function decodeDefinition(bytes: Uint8Array): NormalisedDefinition {
  return checked(validateDefinition, readEnveloped(bytes, 0, bytes.length));
}

/** The body of an `indexes` record. @throws {RangeError} when the bytes are no list of paths */
export function decodeIndexes(bytes: Uint8Array): readonly string[] {
  return checked(readIndexes, readEnveloped(bytes, 0, bytes.length) as Plain);
}

function checked<T, R>(check: (value: T) => R, value: T): R {
  try {
    return check(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`no definition: ${why}`, { cause });
  }
}
