/**
 * What indexes can answer of a predicate: per path the ranges of keys outside of which nothing
 * matches, and what remains to be checked of what is inside. Says what is possible, not what is
 * best: choosing is the planner's. Never wrong by too little: everything that matches is inside.
 */
import { ByteWriter } from '../base/bytes.ts';
import { boundsOf, intersectionOf, type KeyBounds, unionOf } from './key-range.ts';
import { allOf, conjunctsOf, type Predicate, TRUE } from './predicate.ts';

/** One index can find all matches here. */
export interface Condition extends KeyBounds {
  /** The path, as indexes are declared by. */
  readonly name: string;
  /** What must still be checked of an instance found here; 'true' when nothing. */
  readonly residual: Predicate;
}

/** An `or` over several paths: the matches are those of its branches together, each once. */
export interface Union {
  /** Every branch has at least one condition, whose `residual` is within the branch. */
  readonly branches: readonly (readonly Condition[])[];
  /** What must still be checked of an instance found in any branch. */
  readonly residual: Predicate;
}

interface Found extends KeyBounds {
  readonly name: string;
}

/** The conditions of what must hold at the same time, in the order of the filter; any one will do. */
export function conditionsOn(predicate: Predicate): readonly Condition[] {
  return conditionsOf(predicate, keys);
}

/** For one key at a time: a buffer of its own would cost a query more than its keys. */
const keys = new ByteWriter(64);

function conditionsOf(predicate: Predicate, scratch: ByteWriter): readonly Condition[] {
  if (predicate.kind === 'compare') {
    const found = findIn(predicate, scratch);
    if (found === undefined) return [];
    return [{ ...found, residual: found.isExact ? TRUE : predicate }];
  }
  const conjuncts = conjunctsOf(predicate);
  const groups = new Map<string, { found: Found; answered: Set<Predicate> }>();
  conjuncts.forEach((conjunct, i) => {
    const found = findIn(conjunct, scratch);
    if (found === undefined) return;
    // Ranges of one value can be cut with each other; several elements may satisfy one each.
    const key = found.of === 'value' ? `value ${found.name}` : `element ${i}`;
    const known = groups.get(key);
    const answered = known?.answered ?? new Set<Predicate>();
    if (found.isExact) answered.add(conjunct);
    groups.set(key, { found: known === undefined ? found : both(known.found, found), answered });
  });
  return [...groups.values()].map(({ found, answered }) => ({
    ...found,
    residual: allOf(conjuncts.filter((conjunct) => !answered.has(conjunct))),
  }));
}

/** The `or`s among what must hold at the same time that only several indexes together can answer. */
export function unionsOn(predicate: Predicate): readonly Union[] {
  const conjuncts = conjunctsOf(predicate);
  const unions: Union[] = [];
  const scratch = keys;
  for (const conjunct of conjuncts) {
    if (conjunct.kind !== 'or' || findIn(conjunct, scratch) !== undefined) continue;
    const branches = conjunct.operands.map((operand) => conditionsOf(operand, scratch));
    if (branches.some((conditions) => conditions.length === 0)) continue;
    const residual = allOf(conjuncts.filter((other) => other !== conjunct));
    unions.push({ branches, residual });
  }
  return unions;
}

/** The ranges of a part of the predicate that one index can answer; undefined when none can. */
function findIn(predicate: Predicate, scratch: ByteWriter): Found | undefined {
  if (predicate.kind === 'compare') {
    const bounds = boundsOf(predicate, scratch);
    return bounds === undefined ? undefined : { name: predicate.name, ...bounds };
  }
  if (predicate.kind === 'or') return findInAny(predicate.operands, scratch);
  // Inside an `or`. What speaks of another path, or of no range, is left to the check.
  return predicate.kind === 'and' ? findInAll(predicate.operands, scratch) : undefined;
}

function findInAny(operands: readonly Predicate[], scratch: ByteWriter): Found | undefined {
  const found = operands.map((operand) => findIn(operand, scratch));
  const [first] = found;
  if (first === undefined) return undefined;
  const ranges = [];
  let isExact = true;
  for (const one of found) {
    if (one === undefined || one.name !== first.name || one.of !== first.of) return undefined;
    ranges.push(...one.ranges);
    isExact &&= one.isExact;
  }
  return { name: first.name, of: first.of, ranges: unionOf(ranges), isExact };
}

function findInAll(operands: readonly Predicate[], scratch: ByteWriter): Found | undefined {
  let all: Found | undefined;
  let isExact = true;
  for (const operand of operands) {
    const one = findIn(operand, scratch);
    const isOther = one === undefined || (all !== undefined && !canCut(all, one));
    if (isOther) isExact = false;
    else all = all === undefined ? one : both(all, one);
  }
  return all === undefined ? undefined : { ...all, isExact: isExact && all.isExact };
}

function canCut(a: Found, b: Found): boolean {
  return a.name === b.name && a.of === 'value' && b.of === 'value';
}

function both(a: Found, b: Found): Found {
  return { ...a, ranges: intersectionOf(a.ranges, b.ranges), isExact: a.isExact && b.isExact };
}
