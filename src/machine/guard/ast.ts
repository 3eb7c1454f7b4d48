/**
 * The tree of a guard and its one way of being written. Trees come from parse.ts alone, which
 * bounds their size and nesting, so walking one needs no further limit.
 */

export type Comparison = '==' | '!=' | '>' | '>=' | '<' | '<=';

/** An integer beyond 2^53 is a bigint, so that it is compared digit by digit. */
export type Literal = string | number | bigint | boolean | null;

export type GuardExpression =
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | {
      readonly kind: 'compare';
      readonly path: readonly string[];
      readonly operator: Comparison;
      readonly literal: Literal;
    }
  | { readonly kind: 'not'; readonly operand: GuardExpression }
  /** `&&` and `||`; at least two operands, none of them of the same kind as the whole. */
  | { readonly kind: 'all' | 'any'; readonly operands: readonly GuardExpression[] };

/** A guard that has been read. Frozen. */
export interface Guard {
  /** Normal form: two guards that differ only in spacing and needless parentheses have the same. */
  readonly text: string;
  readonly expression: GuardExpression;
}

/**
 * The normal form of an expression; parsing it gives the same expression again.
 *
 * @example
 * guardText(parseGuard('(ctx.a&&ctx.b)').expression); // 'ctx.a && ctx.b'
 */
export function guardText(expression: GuardExpression): string {
  if (expression.kind === 'field') return fieldText(expression.path);
  if (expression.kind === 'compare') {
    return `${fieldText(expression.path)} ${expression.operator} ${literalText(expression.literal)}`;
  }
  if (expression.kind === 'not') {
    const { operand } = expression;
    const isAtom = operand.kind === 'field' || operand.kind === 'not';
    return isAtom ? `!${guardText(operand)}` : `!(${guardText(operand)})`;
  }
  if (expression.kind === 'any') return expression.operands.map(guardText).join(' || ');
  return expression.operands
    .map((operand) => (operand.kind === 'any' ? `(${guardText(operand)})` : guardText(operand)))
    .join(' && ');
}

/** A field as it is written, `ctx.` included. */
export function fieldText(path: readonly string[]): string {
  return `ctx.${path.join('.')}`;
}

function literalText(literal: Literal): string {
  return typeof literal === 'string' ? JSON.stringify(literal) : String(literal);
}
