/**
 * The operators of filters, and how a misspelt one is told from a path. Inside an object under a
 * path a word that only differs from an operator in case, a '$' or one letter is refused: taken as
 * a path it would silently match nothing. A field of such a name is written with './' before it.
 */

export const OPERATORS = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'notIn',
  'prefix',
  'contains',
  'exists',
] as const;

export type Operator = (typeof OPERATORS)[number];

/** Words that join filters instead of naming a path. */
export const CONNECTIVES = ['and', 'or', 'not'] as const;

export type Connective = (typeof CONNECTIVES)[number];

const FOREIGN_WORDS: Readonly<Record<string, Operator>> = {
  equals: 'eq',
  neq: 'ne',
  nin: 'notIn',
  startswith: 'prefix',
  like: 'prefix',
  includes: 'contains',
};

/** From this length on a word one letter away from an operator is not a likely name of a field. */
const MIN_FUZZY_LENGTH = 5;

export function isOperator(key: string): key is Operator {
  return (OPERATORS as readonly string[]).includes(key);
}

export function isConnective(key: string): key is Connective {
  return (CONNECTIVES as readonly string[]).includes(key);
}

/** The operator nearest to a word that is none. */
export function nearestOperator(word: string): Operator {
  const plain = plainWord(word);
  const foreign = foreignWord(plain);
  if (foreign !== undefined) return foreign;
  let nearest: Operator = OPERATORS[0];
  let least = Infinity;
  for (const operator of OPERATORS) {
    const distance = editDistance(plain, operator.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = operator;
    }
  }
  return nearest;
}

/** The operator or connective a word was most likely meant to be; undefined for the name of a field. */
export function meantBy(word: string, isUnderPath: boolean): Operator | Connective | undefined {
  if (!isUnderPath && !word.startsWith('$')) return undefined;
  const plain = plainWord(word);
  if (word.startsWith('$') && isConnective(plain)) return plain;
  if (!isUnderPath || isOperator(word) || isConnective(word)) return undefined;
  if (word.startsWith('$')) {
    const foreign = foreignWord(plain);
    if (foreign !== undefined) return foreign;
  }
  return OPERATORS.find((operator) => {
    const distance = editDistance(plain, operator.toLowerCase());
    return distance === 0 || (distance === 1 && operator.length >= MIN_FUZZY_LENGTH);
  });
}

function foreignWord(plain: string): Operator | undefined {
  return Object.hasOwn(FOREIGN_WORDS, plain) ? FOREIGN_WORDS[plain] : undefined;
}

/** Cut: no operator is longer than a dozen letters, and what the caller sent may be. */
function plainWord(word: string): string {
  return word.slice(0, 16).replaceAll(/[$_-]/g, '').toLowerCase();
}

/** Insertions, deletions and replacements from one word to the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
