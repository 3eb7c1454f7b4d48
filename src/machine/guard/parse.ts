/**
 * The guard grammar, by recursive descent. Text length and nesting are bounded before anything is
 * built, for the text as written and for its normal form, so a guard read back always parses.
 *
 *   any        := all { "||" all }
 *   all        := unary { "&&" unary }
 *   unary      := "!" unary | "(" any ")" | comparison
 *   comparison := field [ ("==" | "!=") literal | (">" | ">=" | "<" | "<=") number ]
 */
import { badRequest } from '../../base/errors.ts';
import { MAX_GUARD_LENGTH, MAX_NESTING } from '../limits.ts';
import { describe, quote } from '../name.ts';
import { guardText, type Guard, type GuardExpression, type Literal } from './ast.ts';
import { guardError, scanToken, type Token } from './token.ts';

interface Reading {
  readonly text: string;
  /** The token not yet consumed. */
  token: Token;
  /** Position behind it. */
  end: number;
}

/**
 * Reads a guard.
 *
 * @param text at most 4,096 UTF-16 units, nested at most 100 levels.
 * @returns the guard, frozen; `text` is its normal form.
 * @throws {StoreError} BAD_REQUEST - when the text is not wholly a guard; `details` has `path`
 *   ('guard'), `reason`, `position` (UTF-16 units from 0), `line` and `column` (from 1).
 * @example
 * import { evaluateGuard, parseGuard } from 'pawl/machine';
 * const guard = parseGuard('ctx.total>100 && !ctx.blocked');
 * guard.text; // 'ctx.total > 100 && !ctx.blocked'
 * evaluateGuard(guard, { total: 120 }); // true
 */
export function parseGuard(text: string): Guard {
  if (typeof text !== 'string') {
    throw badRequest(`a guard is text, not ${describe(text)}`, 'guard', 'text');
  }
  const tooLong = `a guard has at most ${MAX_GUARD_LENGTH} characters`;
  if (text.length > MAX_GUARD_LENGTH) throw guardError(text, MAX_GUARD_LENGTH, tooLong);
  const first = scanToken(text, 0);
  const reading: Reading = { text, token: first.token, end: first.end };
  const expression = readAny(reading, 0);
  if (reading.token.kind !== 'end') throw unexpected(reading, 'the end, && or ||');
  const normal = guardText(expression);
  if (normal.length > MAX_GUARD_LENGTH) {
    throw guardError(text, text.length, `${tooLong}, also in normal form`);
  }
  return Object.freeze({ text: normal, expression });
}

function readAny(reading: Reading, nesting: number): GuardExpression {
  return readOperands(reading, 'any', () => readAll(reading, nesting));
}

function readAll(reading: Reading, nesting: number): GuardExpression {
  return readOperands(reading, 'all', () => readUnary(reading, nesting));
}

/** One or more of what `readOperand` reads, joined; those that are of the same kind are taken apart. */
function readOperands(
  reading: Reading,
  kind: 'any' | 'all',
  readOperand: () => GuardExpression,
): GuardExpression {
  const joint = kind === 'any' ? '||' : '&&';
  const operands: GuardExpression[] = [];
  for (;;) {
    const operand = readOperand();
    if (operand.kind === kind) operands.push(...operand.operands);
    else operands.push(operand);
    if (reading.token.kind !== joint) break;
    advance(reading);
  }
  const [only] = operands;
  if (operands.length === 1 && only !== undefined) return only;
  return Object.freeze({ kind, operands: Object.freeze(operands) });
}

function readUnary(reading: Reading, nesting: number): GuardExpression {
  const { token } = reading;
  if (token.kind === '!') {
    checkNesting(reading, nesting + 1);
    advance(reading);
    const operand = readUnary(reading, nesting + 1);
    // In normal form a negated comparison stands in parentheses, which count as well.
    if (operand.kind === 'compare') checkNesting(reading, nesting + 2);
    return Object.freeze({ kind: 'not', operand });
  }
  if (token.kind === '(') {
    checkNesting(reading, nesting + 1);
    advance(reading);
    const inner = readAny(reading, nesting + 1);
    if (reading.token.kind !== ')') throw unexpected(reading, ')');
    advance(reading);
    return inner;
  }
  return readComparison(reading);
}

function readComparison(reading: Reading): GuardExpression {
  const field = reading.token;
  if (field.kind !== 'field') throw unexpected(reading, 'a field, as in ctx.name');
  advance(reading);
  if (reading.token.kind !== 'comparison') {
    return Object.freeze({ kind: 'field', path: field.path });
  }
  const { operator } = reading.token;
  advance(reading);
  const isEquality = operator === '==' || operator === '!=';
  const literal = readLiteral(reading, isEquality);
  return Object.freeze({ kind: 'compare', path: field.path, operator, literal });
}

function readLiteral(reading: Reading, isEquality: boolean): Literal {
  const { token } = reading;
  const expected = isEquality ? 'text, a number, true, false or null' : 'a number';
  if (token.kind !== 'literal') throw unexpected(reading, expected);
  const isNumber = typeof token.value === 'number' || typeof token.value === 'bigint';
  if (!isEquality && !isNumber) throw unexpected(reading, expected);
  advance(reading);
  return token.value;
}

function advance(reading: Reading): void {
  const next = scanToken(reading.text, reading.end);
  reading.token = next.token;
  reading.end = next.end;
}

function checkNesting(reading: Reading, nesting: number): void {
  if (nesting <= MAX_NESTING) return;
  throw guardError(reading.text, reading.token.at, `more than ${MAX_NESTING} levels of nesting`);
}

function unexpected(reading: Reading, expected: string): Error {
  const { text, token, end } = reading;
  const found =
    token.kind === 'end' ? 'the guard ends' : `found ${quote(text.slice(token.at, end))}`;
  return guardError(text, token.at, `expected ${expected}, but ${found}`);
}
