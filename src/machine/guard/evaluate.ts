/**
 * What a guard says about a context. Total: every guard has an answer for every context, found in
 * at most as many steps as the guard has characters. Reads own properties only, calls nothing.
 */
import { fieldText, guardText, type Guard, type GuardExpression, type Literal } from './ast.ts';

type Compare = Extract<GuardExpression, { kind: 'compare' }>;

/** Why a guard passed or failed. */
export type GuardExplanation =
  | { readonly passed: true }
  | {
      readonly passed: false;
      /** The smallest part that failed, in normal form. */
      readonly failing: string;
      /** What its field held (null when missing); of several fields, an object of `ctx.name` to value. */
      readonly value: unknown;
    };

/**
 * Does the guard pass?
 *
 * @param context plain data; a missing field is null.
 * @example
 * evaluateGuard(parseGuard('ctx.lines.length > 0'), { lines: [] }); // false
 */
export function evaluateGuard(guard: Guard, context: unknown): boolean {
  return passes(guard.expression, context);
}

/**
 * Does the guard pass, and if not, which part of it failed on which value?
 *
 * @example
 * explainGuard(parseGuard('ctx.paid && ctx.total > 100'), { paid: true, total: 90 });
 * // { passed: false, failing: 'ctx.total > 100', value: 90 }
 */
export function explainGuard(guard: Guard, context: unknown): GuardExplanation {
  if (passes(guard.expression, context)) return { passed: true };
  const failing = smallestFailing(guard.expression, context);
  return { passed: false, failing: guardText(failing), value: valueOf(failing, context) };
}

/** Indexed loops here and below: a for-of made evaluation a third slower. */
function passes(expression: GuardExpression, context: unknown): boolean {
  if (expression.kind === 'field') return isTruthy(lookUp(expression.path, context));
  if (expression.kind === 'compare') return compare(expression, lookUp(expression.path, context));
  if (expression.kind === 'not') return !passes(expression.operand, context);
  // Any operand that answers like this decides the whole; without one, all answered the opposite.
  const decisive = expression.kind === 'any';
  const { operands } = expression;
  for (let i = 0; i < operands.length; i++) {
    if (passes(operands[i] as GuardExpression, context) === decisive) return decisive;
  }
  return !decisive;
}

/** The value of a field, null when there is none. Lists and texts have a length and nothing else. */
function lookUp(path: readonly string[], context: unknown): unknown {
  let value = context;
  for (let i = 0; i < path.length; i++) {
    const name = path[i] as string;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      value = Object.hasOwn(value, name)
        ? (value as Readonly<Record<string, unknown>>)[name]
        : null;
    } else if (name === 'length' && (typeof value === 'string' || Array.isArray(value))) {
      value = value.length;
    } else {
      return null;
    }
  }
  return value ?? null;
}

function isTruthy(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value);
  if (Array.isArray(value)) return value.length > 0;
  for (const key in value) if (Object.hasOwn(value, key)) return true;
  return false;
}

function compare({ operator, literal }: Compare, value: unknown): boolean {
  if (operator === '==') return isEqual(value, literal);
  if (operator === '!=') return !isEqual(value, literal);
  if (!isNumeric(value) || !isNumeric(literal)) return false;
  if (operator === '>') return value > literal;
  if (operator === '>=') return value >= literal;
  if (operator === '<') return value < literal;
  return value <= literal;
}

/** Number and bigint are one kind here, compared by exact value; otherwise kinds never mix. */
function isEqual(value: unknown, literal: Literal): boolean {
  if (typeof value === 'bigint' && typeof literal === 'number') return isInteger(literal, value);
  if (typeof value === 'number' && typeof literal === 'bigint') return isInteger(value, literal);
  return value === literal;
}

function isInteger(value: number, integer: bigint): boolean {
  return Number.isInteger(value) && BigInt(value) === integer;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** Of a failing expression: all operands of `||` are to blame together, of `&&` the first that fails. */
function smallestFailing(expression: GuardExpression, context: unknown): GuardExpression {
  if (expression.kind !== 'all') return expression;
  const failing = expression.operands.find((operand) => !passes(operand, context));
  return failing === undefined ? expression : smallestFailing(failing, context);
}

function valueOf(expression: GuardExpression, context: unknown): unknown {
  const fields = new Map<string, unknown>();
  collectFields(expression, context, fields);
  const [only] = fields.values();
  return fields.size === 1 ? only : Object.fromEntries(fields);
}

function collectFields(
  expression: GuardExpression,
  context: unknown,
  fields: Map<string, unknown>,
): void {
  if (expression.kind === 'field' || expression.kind === 'compare') {
    fields.set(fieldText(expression.path), lookUp(expression.path, context));
  } else if (expression.kind === 'not') {
    collectFields(expression.operand, context, fields);
  } else {
    for (const operand of expression.operands) collectFields(operand, context, fields);
  }
}
