/**
 * How an event's payload changes the context: field by field, at the top level only. Nested
 * objects are replaced, not merged, so payload and previous context tell the whole effect.
 */
import { isPlainObject } from './plain-data.ts';

/**
 * The context after an event. Neither argument is changed; the result shares their field values.
 *
 * @param payload a plain object's own fields replace those of the context, `__proto__` being a
 *   field like any other. Anything else leaves the context as it is: the same object is returned.
 * @example
 * mergePayload({ total: 90, paid: false }, { paid: true }); // { total: 90, paid: true }
 */
export function mergePayload<C extends object>(context: C, payload: unknown): C {
  return isPlainObject(payload) ? { ...context, ...payload } : context;
}
