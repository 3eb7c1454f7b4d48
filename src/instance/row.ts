/**
 * The 48 bytes of an instance's row: where each field lies, and what its flags mean. Handles map to
 * rows one to one; a row knows neither its handle nor its id's text.
 */

/** Fields of a row, each as an index into the view of its width; a row has 24 u16, 12 u32 and 6 f64. */
export const ROW = {
  u16: 24,
  u32: 12,
  f64: 6,
  /** u16 */
  state: 0,
  /** u16: the low four bits are ROW_FLAG, the rest counts how often the handle was reused. */
  flags: 1,
  /** u32 */
  definition: 1,
  /** f64, milliseconds */
  createdAt: 1,
  updatedAt: 2,
  /** f64: of the record that last changed the instance */
  offset: 3,
  /** u32: neighbours in the list the row is in; today only the list of deleted ones uses `next`. */
  previous: 8,
  next: 9,
  /** u32: heap slot of context and event id, 0 for none */
  context: 10,
  /** u32: heap slot of the id */
  id: 11,
} as const;

export const ROW_FLAG = {
  live: 1,
  deleted: 2,
  /** Commands that wait for the disk changed this instance: look at the overlay first. */
  pending: 4,
  eventId: 8,
} as const;

export const ROW_INDEX_MASK = 0xffff;
/** The flags take the low bits of their field, the count of reuses the rest. */
export const FLAG_BITS = 4;
/** End of a list of rows. */
export const NO_ROW = 0xffffffff;
