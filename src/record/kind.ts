/**
 * Numeric ids of record kinds and of the optional fields a record may carry. Append-only: a number
 * that was ever written keeps its meaning. docs/format.md shows the bytes.
 */

export const RECORD_KIND = {
  /** A machine definition under its index; again with the same index: visible again after `hide`. */
  define: 1,
  /** Declared index paths of a machine, all its versions. */
  indexes: 2,
  /** A machine version nobody uses is not offered any more. */
  hide: 3,
  create: 4,
  apply: 5,
  delete: 6,
  /** Cut-offs decided from clock and limits: what lies at or before them is gone. */
  purge: 7,
  /** First result of a transaction or batch that had an idempotency key. */
  outcome: 8,
  /** An instance goes on under another version of its machine: definition, state and whole context. */
  migrate: 9,
  /** A vector collection under its number, with its configuration. */
  collection: 10,
  /** A collection and all in it is gone. */
  dropCollection: 11,
  /** An entry of a collection, whole: new, or in the place of the one with this handle. */
  vector: 12,
  /** Metadata of an entry: merged into, or in the place of, what it has. */
  metadata: 13,
  deleteVector: 14,
  /** Entries whose time was over: gone, as decided from the clock. */
  expireVectors: 15,
} as const;
export type RecordKind = (typeof RECORD_KIND)[keyof typeof RECORD_KIND];

export const FIELD = {
  /** Time of the commit; on its first record. */
  time: 1,
  /** Time of the fact, when it is not that of the commit. */
  at: 2,
  eventId: 4,
  /** Idempotency key and fingerprint of the arguments. */
  key: 8,
  actor: 16,
  reason: 32,
  correlationId: 64,
} as const;

/** All fields this version knows; a record with another is from a newer one. */
export const KNOWN_FIELDS = 127;
