/** A moment, checked, as the two bounds a fold stops at. */
import { badRequest } from '../../base/errors.ts';
import { ownFields, checkTime, describe } from '../write-options.ts';

export interface Bounds {
  /** The last commit that ends at or before this record is the last one applied. */
  readonly through: number;
  /** The first commit with a later time, in milliseconds, is not applied any more; Infinity: none is too late. */
  readonly time: number;
}

/** `present`: last record that reads can see. @throws {StoreError} BAD_REQUEST - malformed, or an offset in the future. */
export function boundsOf(moment: unknown, path: string, present: number): Bounds {
  const given = ownFields(moment as object | undefined, path);
  if (given === undefined)
    throw badRequest(`${path} must be { offset } or { time }, not undefined`, path, 'object');
  const names = Object.keys(given);
  const [name] = names;
  if (names.length !== 1 || (name !== 'offset' && name !== 'time'))
    throw badRequest(`${path} must be { offset } or { time }`, path, 'offset or time');
  const value: unknown = (given as Record<string, unknown>)[name];
  if (name === 'time') return { through: present, time: checkTime(value, `${path}.time`) };
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    const what = typeof value === 'number' ? String(value) : describe(value);
    const message = `${path}.offset must be an offset, not ${what}`;
    throw badRequest(message, `${path}.offset`, 'non-negative safe integer');
  }
  const through = value as number;
  if (through > present) {
    const message = `${path}.offset is ${through}, in the future: the last record that can be read is ${present}`;
    throw badRequest(message, `${path}.offset`, `at most ${present}`);
  }
  return { through, time: Number.POSITIVE_INFINITY };
}
