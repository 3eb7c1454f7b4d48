/**
 * A second, naive guard: trees as a test makes them, ways to write one down, and what it answers.
 * Written from the language's description alone, to be compared with the real one.
 */
import * as fc from 'fast-check';

export type Tree =
  | { is: 'field'; path: string[] }
  | { is: 'compare'; path: string[]; operator: string; literal: unknown }
  | { is: 'not'; of: Tree }
  | { is: 'and' | 'or'; left: Tree; right: Tree };

const names = ['a', 'b', 'length', '__proto__', 'constructor', 'größe', '2'];
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 });
const numbers = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, -1, 0.5, 1e-7, 2n ** 53n, 2n ** 63n + 1n),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
);
const literals = fc.oneof(
  numbers,
  fc.constantFrom<unknown>(true, false, null, '', 'x', 'a"\\\n', '😀'),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
);

export const { tree: trees } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'guard' },
    fc.record({ is: fc.constant('field' as const), path }),
    fc.record({
      is: fc.constant('compare' as const),
      path,
      operator: fc.constantFrom('==', '!='),
      literal: literals,
    }),
    fc.record({
      is: fc.constant('compare' as const),
      path,
      operator: fc.constantFrom('>', '>=', '<', '<='),
      literal: numbers,
    }),
    fc.record({ is: fc.constant('not' as const), of: tie('tree') }),
    fc.record({
      is: fc.constantFrom('and' as const, 'or' as const),
      left: tie('tree'),
      right: tie('tree'),
    }),
  ),
}));

const scalars = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -0,
    1,
    2,
    3,
    0n,
    1n,
    2n ** 53n,
    2n ** 63n + 1n,
    0.5,
  ),
  fc.constantFrom<unknown>('', 'x', 'a"\\\n', '😀', [], {}, [1], [1, 2, 3]),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalars,
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}));
export const contexts = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6 });

/** The normal form, from the tree: parentheses where || stands in &&, and behind ! around more than a field. */
export function normalText(tree: Tree): string {
  if (tree.is === 'field' || tree.is === 'compare') return leafText(tree, ' ', ' ');
  if (tree.is === 'not') {
    const isShort = tree.of.is === 'field' || tree.of.is === 'not';
    return isShort ? `!${normalText(tree.of)}` : `!(${normalText(tree.of)})`;
  }
  if (tree.is === 'or') return `${normalText(tree.left)} || ${normalText(tree.right)}`;
  return [tree.left, tree.right]
    .map((side) => (side.is === 'or' ? `(${normalText(side)})` : normalText(side)))
    .join(' && ');
}

/** The same guard with spaces and needless parentheses strewn in. */
export function writtenText(tree: Tree, choices: Iterator<number>): string {
  const pick = (options: readonly string[]): string =>
    options[(choices.next().value as number) % options.length] as string;
  const gap = (): string => pick(['', ' ', '\n\t']);
  const write = (node: Tree): string => {
    if (node.is === 'field' || node.is === 'compare') return leafText(node, gap(), gap());
    if (node.is === 'not') return `!${gap()}${wrap(node.of, ['and', 'or'])}`;
    const isOr = node.is === 'or';
    const sides = [node.left, node.right].map((side) => wrap(side, isOr ? [] : ['or']));
    return sides.join(`${gap()}${isOr ? '||' : '&&'}${gap()}`);
  };
  const wrap = (node: Tree, needing: readonly string[]): string =>
    needing.includes(node.is) || pick(['', '', '(']) === '('
      ? `(${gap()}${write(node)}${gap()})`
      : write(node);
  return `${gap()}${wrap(tree, [])}${gap()}`;
}

function leafText(
  tree: Extract<Tree, { is: 'field' | 'compare' }>,
  before: string,
  after: string,
): string {
  const name = `ctx.${tree.path.join('.')}`;
  if (tree.is === 'field') return name;
  return `${name}${before}${tree.operator}${after}${literalText(tree.literal)}`;
}

function literalText(literal: unknown): string {
  if (typeof literal === 'string') return JSON.stringify(literal);
  return Object.is(literal, -0) ? '0' : String(literal);
}

/** What the guard answers, from its description. */
export function answer(tree: Tree, context: unknown): boolean {
  if (tree.is === 'field') return !isEmpty(at(tree.path, context));
  if (tree.is === 'compare') return compare(at(tree.path, context), tree.operator, tree.literal);
  if (tree.is === 'not') return !answer(tree.of, context);
  const left = answer(tree.left, context);
  const right = answer(tree.right, context);
  return tree.is === 'and' ? left && right : left || right;
}

function at(steps: string[], start: unknown): unknown {
  return steps.reduce((held: unknown, name) => {
    if (Array.isArray(held) || typeof held === 'string')
      return name === 'length' ? held.length : null;
    if (typeof held !== 'object' || held === null) return null;
    return Object.getOwnPropertyDescriptor(held, name)?.value ?? null;
  }, start);
}

function isEmpty(held: unknown): boolean {
  if (typeof held === 'object' && held !== null) return Object.keys(held).length === 0;
  return held === null || held === false || held === '' || held === 0 || held === 0n;
}

function compare(held: unknown, operator: string, literal: unknown): boolean {
  const bothNumbers = [held, literal].every((x) => typeof x === 'number' || typeof x === 'bigint');
  // Loose equality is exact between number and bigint, and used for nothing else.
  // eslint-disable-next-line eqeqeq
  const isEqual = bothNumbers ? held == literal : held === literal;
  const [a, b] = [held as number, literal as number];
  switch (operator) {
    case '==':
      return isEqual;
    case '!=':
      return !isEqual;
    case '>':
      return bothNumbers && a > b;
    case '>=':
      return bothNumbers && a >= b;
    case '<':
      return bothNumbers && a < b;
    default:
      return bothNumbers && a <= b;
  }
}
