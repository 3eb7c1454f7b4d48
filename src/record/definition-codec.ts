/**
 * Machine definitions to and from bytes. Definitions are rare and their `meta` is arbitrary data, so
 * a general MessagePack library writes them. Reading takes nothing on trust: the bytes go through
 * the strict reader of values, which is bounded by them, and then through the checks a definition
 * passed before it was written. What comes back is frozen at every level, as it was when it was put.
 */
import { Packr } from 'msgpackr';
import type { NormalisedDefinition } from '../machine/definition.ts';
import type { Plain, PlainObject } from '../machine/plain-data.ts';
import { normalise, readIndexes } from '../machine/validate-definition.ts';
import { readEnveloped } from '../value/read-value.ts';

const OPTIONS = { useRecords: false, mapsAsObjects: false } as const;

export function encodeDefinition(definition: object): Uint8Array {
  return new Packr(OPTIONS).pack(definition);
}

/** @throws {RangeError} when the bytes are no definition */
export function decodeDefinition(bytes: Uint8Array): NormalisedDefinition {
  // Not validateDefinition(): what it allows is counted in the definition as written, not in this form of it.
  return checked(normalise, frozen(readEnveloped(bytes, 0, bytes.length)) as PlainObject);
}

/** The body of an `indexes` record. @throws {RangeError} when the bytes are no list of paths */
export function decodeIndexes(bytes: Uint8Array): readonly string[] {
  return checked(readIndexes, readEnveloped(bytes, 0, bytes.length) as Plain);
}

/** Values read from bytes are nested within bounds. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

function checked<T, R>(check: (value: T) => R, value: T): R {
  try {
    return check(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`no definition: ${why}`, { cause });
  }
}
