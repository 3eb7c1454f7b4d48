/**
 * Walks the records of a frame's payload, as frame-queue.ts wrote them. A cursor, not an iterator:
 * nothing is allocated per record. The payload must have passed its CRC; what still does not fit
 * is an impossible state and throws RangeError.
 */

export class RecordCursor {
  private bytes: Uint8Array = EMPTY;
  private next = 0;
  private limit = 0;
  /** The record: bytes[start, end). */
  start = 0;
  end = 0;
  offset = 0;
  /** Does the commit end with this record? */
  isLastOfCommit = false;

  /** Puts the cursor before the first record of a payload. */
  reset(bytes: Uint8Array, start: number, end: number, firstOffset: number): void {
    this.bytes = bytes;
    this.next = start;
    this.limit = end;
    this.offset = firstOffset - 1;
  }

  /** Steps to the next record; false at the end of the payload. */
  advance(): boolean {
    if (this.next >= this.limit) return false;
    const bytes = this.bytes;
    let p = this.next;
    let byte = bytes[p++] as number;
    let prefix = byte & 127;
    for (let shift = 7; byte > 127 && shift < 28; shift += 7) {
      byte = bytes[p++] as number;
      prefix |= (byte & 127) << shift;
    }
    this.isLastOfCommit = (prefix & 1) === 1;
    this.start = p;
    this.end = p + (prefix >>> 1);
    this.next = this.end;
    this.offset++;
    if (byte > 127 || this.end > this.limit)
      throw new RangeError(`record at ${p} reaches beyond its frame`);
    return true;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Are these exactly so many records, from end to end, and whole commits? A seal says that the bytes
 * are those that were sealed, not that a log sealed them.
 */
export function holdsRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): boolean {
  let position = start;
  let prefix = 0;
  for (let left = count; left > 0; left--) {
    if (position >= end) return false;
    let byte = bytes[position++] as number;
    prefix = byte & 127;
    for (let shift = 7; byte > 127 && shift < 28; shift += 7) {
      byte = bytes[position++] as number;
      prefix |= (byte & 127) << shift;
    }
    position += prefix >>> 1;
    if (byte > 127 || position > end) return false;
  }
  return position === end && (prefix & 1) === 1;
}
