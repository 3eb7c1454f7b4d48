/**
 * The total order of values that sorting, ranges and index keys share, and equality: no scalar
 * (absent, list or object) < null < false < true < numbers and bigints by exact value < strings by
 * code points (which is the order of their UTF-8 bytes). Relies on values being data: no NaN.
 */

/** What a filter compares with. */
export type Scalar = string | number | bigint | boolean | null;

/** Classes in ascending order; values of different classes are ordered by them alone. */
export const CLASS = {
  none: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  string: 5,
} as const;

export type ValueClass = (typeof CLASS)[keyof typeof CLASS];

export function classOf(value: unknown): ValueClass {
  if (typeof value === 'string') return CLASS.string;
  if (typeof value === 'number' || typeof value === 'bigint') return CLASS.number;
  if (typeof value === 'boolean') return value ? CLASS.true : CLASS.false;
  return value === null ? CLASS.null : CLASS.none;
}

/** May one be greater than the other in a filter: both null, both booleans, both numeric or both strings? */
export function areComparable(a: unknown, b: unknown): boolean {
  const first = classOf(a);
  const second = classOf(b);
  return first === second ? first >= CLASS.null : typeof a === 'boolean' && typeof b === 'boolean';
}

/** Negative, 0 or positive. Whatever is no scalar is equal here: absent, lists and objects. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b);
  const first = classOf(a);
  const second = classOf(b);
  if (first !== second) return first - second;
  return first === CLASS.number ? compareNumeric(a as number | bigint, b as number | bigint) : 0;
}

/** By exact value: the language compares a number with a bigint without rounding either. */
function compareNumeric(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Strings by their UTF-8 bytes. UTF-16 units have the same order except that surrogates, which
 * stand for the code points above all others, lie below the units from U+E000 on.
 */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const first = a.charCodeAt(i);
    const second = b.charCodeAt(i);
    if (first !== second) return rankOfUnit(first) - rankOfUnit(second);
  }
  return a.length - b.length;
}

function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Equal scalars: number and bigint are one kind, otherwise kinds never mix; lists and objects equal nothing. */
export function isEqualScalar(a: unknown, b: Scalar): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint') return typeof b === 'number' && isSameInteger(b, a);
  return typeof a === 'number' && typeof b === 'bigint' && isSameInteger(a, b);
}

function isSameInteger(value: number, integer: bigint): boolean {
  return Number.isInteger(value) && BigInt(value) === integer;
}

/** One form for equal scalars: 0 for -0, and the number for a bigint that is exactly one. */
export function normalScalar(value: Scalar): Scalar {
  if (typeof value === 'number') return value + 0;
  if (typeof value !== 'bigint') return value;
  const rounded = Number(value);
  return isSameInteger(rounded, value) ? rounded : value;
}
