/**
 * Lengths of time as people write them, to milliseconds. Months and years are refused because
 * their length depends on the day they start.
 */
import { badRequest } from '../base/errors.ts';
import { MAX_DURATION_MS } from './limits.ts';
import { describe } from './name.ts';

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
]);
const SHORT = /^(\d{1,15})(ms|s|m|h|d|w)$/;
const ISO =
  /^P(?=[\dT])(?:(\d{1,15})W|(?:(\d{1,15})D)?(?:T(?=\d)(?:(\d{1,15})H)?(?:(\d{1,15})M)?(?:(\d{1,15})(?:[.,](\d{1,3}))?S)?)?)$/;
const EXPECTED =
  "milliseconds, '500ms', '45s', '30m', '12h', '7d', '2w', or ISO 8601 such as 'PT30M'";

/**
 * Milliseconds of a duration: a positive integer up to a hundred years.
 *
 * @throws {StoreError} BAD_REQUEST - when it is malformed, zero, negative, fractional or too long.
 */
export function parseDuration(value: unknown, path: string): number {
  const ms = typeof value === 'string' ? (shortMs(value) ?? isoMs(value)) : value;
  if (typeof ms !== 'number' || !Number.isInteger(ms)) {
    throw badRequest(`${path} is no duration: ${describe(value)}`, path, EXPECTED);
  }
  if (ms < 1 || ms > MAX_DURATION_MS) {
    throw badRequest(
      `${path} must last from 1 ms to 100 years: ${describe(value)}`,
      path,
      EXPECTED,
    );
  }
  return ms;
}

function shortMs(text: string): number | undefined {
  const match = SHORT.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (UNIT_MS.get(match[2] ?? '') ?? Number.NaN);
}

function isoMs(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, weeks, days, hours, minutes, seconds, fraction] = match;
  const count = (digits: string | undefined, unitMs: number): number =>
    Number(digits ?? 0) * unitMs;
  return (
    count(weeks, 604_800_000) +
    count(days, 86_400_000) +
    count(hours, 3_600_000) +
    count(minutes, 60_000) +
    count(seconds, 1000) +
    Number((fraction ?? '').padEnd(3, '0'))
  );
}
