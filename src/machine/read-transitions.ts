/**
 * The rules of a definition: states exist, guards parse, and none of them is out of reach because
 * of the ones written before it.
 */
import { badRequest, isStoreError, StoreError } from '../base/errors.ts';
import type { NormalisedTransition } from './definition.ts';
import {
  asList,
  asObject,
  asState,
  checkCount,
  checkFields,
  field,
  isList,
} from './field-reader.ts';
import { parseGuard } from './guard/parse.ts';
import { MAX_EVENTS, MAX_TRANSITIONS } from './limits.ts';
import { checkName, describe } from './name.ts';
import type { Plain, PlainObject } from './plain-data.ts';

const FIELDS = ['from', 'event', 'to', 'guard'] as const;

/** By state, then by event: the guards tried so far. Undefined among them: an unguarded rule. */
type Tried = Map<string, Map<string, Set<string | undefined>>>;

/** @throws {StoreError} BAD_REQUEST - naming the rule and its field. */
export function readTransitions(
  value: Plain | undefined,
  states: ReadonlySet<string>,
): readonly NormalisedTransition[] {
  const tried: Tried = new Map();
  const events = new Set<string>();
  let count = 0;
  const rules = asList(value, 'transitions').map((item, i) => {
    const path = `transitions[${i}]`;
    const rule = readRule(asObject(item, path), path, states);
    count += rule.from.length;
    checkCount(count, MAX_TRANSITIONS, 'transitions');
    events.add(rule.event);
    checkCount(events.size, MAX_EVENTS, 'transitions');
    checkReach(rule, path, tried);
    return rule;
  });
  return Object.freeze(rules);
}

function readRule(
  rule: PlainObject,
  path: string,
  states: ReadonlySet<string>,
): NormalisedTransition {
  checkFields(rule, path, FIELDS);
  const from = readFrom(field(rule, 'from'), `${path}.from`, states);
  const event = checkName(field(rule, 'event'), `${path}.event`);
  const to = asState(field(rule, 'to'), `${path}.to`, states);
  const guard = readGuard(field(rule, 'guard'), `${path}.guard`);
  return Object.freeze(guard === undefined ? { from, event, to } : { from, event, to, guard });
}

function readFrom(
  value: Plain | undefined,
  path: string,
  states: ReadonlySet<string>,
): readonly string[] {
  if (!isList(value)) return Object.freeze([asState(value, path, states)]);
  if (value.length === 0) throw badRequest(`${path} is empty`, path, 'at least one state');
  const from = new Set(value.map((state, i) => asState(state, `${path}[${i}]`, states)));
  return Object.freeze([...from]);
}

function readGuard(value: Plain | undefined, path: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    throw badRequest(`${path} must be text, not ${describe(value)}`, path, 'text');
  }
  try {
    return parseGuard(value).text;
  } catch (error) {
    if (!isStoreError(error, 'BAD_REQUEST')) throw error;
    const details = { ...error.details, path };
    throw new StoreError('BAD_REQUEST', `${path}: ${error.message}`, { details, cause: error });
  }
}

/** Rules are tried in order and the first that passes wins, so some can never be the first. */
function checkReach(rule: NormalisedTransition, path: string, tried: Tried): void {
  for (const state of rule.from) {
    const ofState = tried.get(state) ?? new Map<string, Set<string | undefined>>();
    const guards = ofState.get(rule.event) ?? new Set<string | undefined>();
    if (guards.has(undefined)) throw outOfReach(rule, state, path, 'an unguarded rule');
    if (rule.guard !== undefined && guards.has(rule.guard)) {
      throw outOfReach(rule, state, `${path}.guard`, 'a rule with the same guard');
    }
    tried.set(state, ofState.set(rule.event, guards.add(rule.guard)));
  }
}

function outOfReach(
  { event }: NormalisedTransition,
  state: string,
  path: string,
  earlier: string,
): StoreError {
  const where = `${describe(event)} in ${describe(state)}`;
  return badRequest(
    `${path} is never reached: ${earlier} for ${where} stands before it`,
    path,
    'guarded rules with different guards, the unguarded one last',
  );
}
