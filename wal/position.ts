/** Places in a log, as segment and byte. */
import type { Link } from './frame.ts';

/** Behind a whole frame: what the next one must continue. Segment 0: before the first. */
export interface LogEnd {
  readonly segment: number;
  readonly bytes: number;
  /** Header CRC of the frame that ends here. */
  readonly chain: number;
  /** Of the last record before this place. */
  readonly offset: number;
}

/** Everything before this place, and every record up to `offset`, is known to be on the disk. */
export interface Attested {
  readonly segment: number;
  readonly bytes: number;
  readonly offset: number;
}

export const LOG_START: LogEnd = { segment: 0, bytes: 0, chain: 0, offset: 0 };
export const NOTHING_ATTESTED: Attested = { segment: 0, bytes: 0, offset: 0 };

/** Where a segment with this link continues the one before it. */
export function placeBefore(link: Link): LogEnd {
  const { continuedSegment: segment, continuedBytes: bytes, chain, firstOffset } = link;
  return { segment, bytes, chain, offset: firstOffset - 1 };
}

export function isBehind(
  a: Attested,
  b: { readonly segment: number; readonly bytes: number },
): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.bytes > b.bytes);
}
