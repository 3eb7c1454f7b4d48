/** The 64 bytes of an entry's row in a RowTable: where each field lies. Its floats lie elsewhere (float-rows.ts). */

/** Fields of a row, each as an index into the view of its width; a row has 16 u32 and 8 f64. */
export const ENTRY = {
  bytes: 64,
  u32: 16,
  f64: 8,
  /** f64, milliseconds */
  createdAt: 0,
  updatedAt: 1,
  /** f64: of the record that last changed the entry */
  offset: 2,
  /** f64, milliseconds; NaN: none */
  eventTime: 3,
  /** f64, milliseconds; Infinity: never */
  expiresAt: 4,
  /** f64: Euclidean length of the vector; 1 unless the metric needs it. Derived. */
  norm: 5,
  /** u32: heap slot of the id */
  id: 12,
  /** u32: heap slot of the metadata, 0 for none */
  metadata: 13,
  /** u32: number of the scope, 0 the global one */
  scope: 14,
  /** u32: 1 while there is an entry */
  live: 15,
} as const;

export const ENTRY_INDEX_MASK = 0xffff;
