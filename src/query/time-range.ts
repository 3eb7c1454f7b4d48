/**
 * Ranges of time, as in `createdAt` and `updatedAt`: bounds in whole milliseconds, read into a
 * closed interval. A range without bounds lets every time pass.
 */
import { badRequest } from '../base/errors.ts';
import { describeInput, placeOf, readFields } from './plain-input.ts';
import { checkBounds } from './read-operators.ts';

/** Milliseconds, both ends included; `first > last` when no time is inside. */
export interface TimeRange {
  readonly first: number;
  readonly last: number;
}

const BOUNDS = ['gt', 'gte', 'lt', 'lte'] as const;
type Bound = (typeof BOUNDS)[number];

/**
 * Reads a range of times; undefined when there is nothing to check.
 *
 * @throws {StoreError} BAD_REQUEST - an unknown bound, a time that is no whole number, or turned round.
 */
export function parseTimeRange(input: unknown, at: string): TimeRange | undefined {
  if (input === undefined) return undefined;
  const bounds: { [B in Bound]?: number } = {};
  for (const [key, value] of readFields(input, at)) {
    const place = placeOf(at, key);
    if (!isBound(key)) {
      const expected = `one of ${BOUNDS.join(', ')}`;
      throw badRequest(`${place} is no bound of a range; it has ${expected}`, place, expected);
    }
    if (!Number.isSafeInteger(value)) {
      const found = describeInput(value);
      throw badRequest(`${place} must be whole milliseconds, not ${found}`, place, 'integer');
    }
    bounds[key] = value as number;
  }
  checkBounds(bounds, at);
  const { gt, gte, lt, lte } = bounds;
  const first = gt === undefined ? (gte ?? -Infinity) : gt + 1;
  const last = lt === undefined ? (lte ?? Infinity) : lt - 1;
  return first === -Infinity && last === Infinity ? undefined : { first, last };
}

function isBound(key: string): key is Bound {
  return (BOUNDS as readonly string[]).includes(key);
}
