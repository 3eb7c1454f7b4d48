/**
 * Holds the store against the fold, case by case and field by field, in both directions: every case
 * of the fold must be stored as it is, and nothing else may be stored. Relies on reads alone.
 */
import { inspect } from 'node:util';
import type { InstanceReads } from 'pawl';
import type { FoldedCase } from './fold.ts';

export interface Difference {
  readonly id: string;
  /** Dotted path of the first field that differs; empty when the whole case is missing or too much. */
  readonly path: string;
  readonly expected: string;
  readonly stored: string;
}

export interface Comparison {
  /** How many cases differ. */
  readonly differing: number;
  /** How many cases the store counts. */
  readonly stored: number;
  /** The first of them, in the order of the log. */
  readonly first: readonly Difference[];
}

/** A pair of values that are not the same, and the way to them. */
interface Unequal {
  readonly path: readonly string[];
  readonly expected: unknown;
  readonly stored: unknown;
}

const SHOWN = 10;
const ABSENT = 'nothing';

export function compareWithFold(
  expected: ReadonlyMap<string, FoldedCase>,
  stored: Pick<InstanceReads, 'get' | 'iterate' | 'count'>,
): Comparison {
  const first: Difference[] = [];
  let differing = 0;
  const report = (difference: Difference): void => {
    differing += 1;
    if (first.length < SHOWN) first.push(difference);
  };

  for (const [id, folded] of expected) {
    const instance = stored.get(id);
    if (instance === undefined) {
      report({ id, path: '', expected: show(folded), stored: ABSENT });
      continue;
    }
    const { state, context, createdAt, updatedAt, lastEventId } = instance;
    const found = { state, context, createdAt, updatedAt, lastEventId };
    const unequal = firstUnequal(folded, found, []);
    if (unequal !== undefined) report(describe(id, unequal));
  }
  for (const { id, state } of stored.iterate()) {
    if (!expected.has(id)) report({ id, path: '', expected: ABSENT, stored: show({ state }) });
  }
  return { differing, stored: stored.count(), first };
}

/** Deep, regardless of the order of keys. Numbers by ===, for which 0 and -0 are one: in JSON too. */
function firstUnequal(
  expected: unknown,
  stored: unknown,
  path: readonly string[],
): Unequal | undefined {
  if (expected === stored) return undefined;
  const isListed = Array.isArray(expected);
  if (!isObject(expected) || !isObject(stored) || isListed !== Array.isArray(stored)) {
    return { path, expected, stored };
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(stored)])) {
    const here = [...path, key];
    if (!Object.hasOwn(expected, key)) {
      return { path: here, expected: undefined, stored: stored[key] };
    }
    if (!Object.hasOwn(stored, key)) {
      return { path: here, expected: expected[key], stored: undefined };
    }
    const unequal = firstUnequal(expected[key], stored[key], here);
    if (unequal !== undefined) return unequal;
  }
  return undefined;
}

function describe(id: string, { path, expected, stored }: Unequal): Difference {
  return { id, path: path.join('.'), expected: show(expected), stored: show(stored) };
}

/** On one line, and telling 1 from '1' and from 1n. */
function show(value: unknown): string {
  return value === undefined ? ABSENT : inspect(value, { breakLength: Infinity });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
