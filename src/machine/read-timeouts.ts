/**
 * The timeouts of a definition: the state exists, its event leads somewhere from there, and the
 * time can be told. They are part of a version's identity.
 */
import { badRequest } from '../base/errors.ts';
import type { NormalisedTimeout, NormalisedTransition } from './definition.ts';
import { parseDuration } from './duration.ts';
import { asList, asObject, asState, checkCount, checkFields, field } from './field-reader.ts';
import { MAX_TIMEOUTS } from './limits.ts';
import { checkName, describe } from './name.ts';
import type { Plain } from './plain-data.ts';

const FIELDS = ['state', 'after', 'event'] as const;

/** @throws {StoreError} BAD_REQUEST - naming the timeout and its field. */
export function readTimeouts(
  value: Plain | undefined,
  states: ReadonlySet<string>,
  rules: readonly NormalisedTransition[],
): readonly NormalisedTimeout[] {
  if (value === undefined) return [];
  const list = asList(value, 'timeouts');
  checkCount(list.length, MAX_TIMEOUTS, 'timeouts');
  const eventsOf = eventsByState(rules);
  const seen = new Set<string>();
  const timeouts = list.map((item, i) => {
    const path = `timeouts[${i}]`;
    const timeout = asObject(item, path);
    checkFields(timeout, path, FIELDS);
    const state = asState(field(timeout, 'state'), `${path}.state`, states);
    const after = parseDuration(field(timeout, 'after'), `${path}.after`);
    const event = checkName(field(timeout, 'event'), `${path}.event`);
    if (eventsOf.get(state)?.has(event) !== true) {
      const message = `${path}: no transition takes ${describe(event)} in ${describe(state)}`;
      throw badRequest(message, `${path}.event`, 'an event with a transition from this state');
    }
    const key = JSON.stringify([state, after, event]);
    if (seen.has(key)) throw badRequest(`${path} repeats an earlier timeout`, path, 'no repeats');
    seen.add(key);
    return Object.freeze({ state, after, event });
  });
  return Object.freeze(timeouts);
}

function eventsByState(
  rules: readonly NormalisedTransition[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const events = new Map<string, Set<string>>();
  for (const rule of rules) {
    for (const state of rule.from) {
      const ofState = events.get(state) ?? new Set<string>();
      events.set(state, ofState.add(rule.event));
    }
  }
  return events;
}
