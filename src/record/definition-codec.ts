/**
 * Machine definitions to and from bytes. Definitions are rare and their `meta` is arbitrary data, so
 * a general MessagePack library serves here. Maps are decoded as Map and rebuilt as objects, because
 * the library would rename an own `__proto__` key; definitions were validated before encoding. What
 * comes back is frozen at every level, as it was when it was put.
 */
import { Packr, Unpackr } from 'msgpackr';

const OPTIONS = { useRecords: false, mapsAsObjects: false } as const;

export function encodeDefinition(definition: object): Uint8Array {
  return new Packr(OPTIONS).pack(definition);
}

export function decodeDefinition(bytes: Uint8Array): unknown {
  return toPlain(new Unpackr(OPTIONS).unpack(bytes));
}

function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(toPlain));
  if (!(value instanceof Map)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of value as Map<string, unknown>) {
    Object.defineProperty(out, key, {
      value: toPlain(inner),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return Object.freeze(out);
}
