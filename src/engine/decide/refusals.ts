/** The coded errors commands on instances are refused with. Texts say what failed, on what, and why. */
import { StoreError } from '../../base/errors.ts';
import type { Data } from '../../machine/definition.ts';
import { explainRefusal } from '../../machine/transition.ts';
import type { Call } from '../call.ts';
import type { Target } from './target.ts';

const quote = (text: string): string =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);

export function notFound(id: string, deleted: boolean): StoreError {
  const why = deleted ? 'was deleted' : 'does not exist';
  return new StoreError('INSTANCE_NOT_FOUND', `instance ${quote(id)} ${why}`, {
    details: { id, deleted },
  });
}

export function exists(id: string, deleted: boolean): StoreError {
  const why = deleted ? 'was deleted and is kept until its retention ends' : 'exists';
  return new StoreError('INSTANCE_EXISTS', `instance ${quote(id)} ${why}`, {
    details: { id, deleted },
  });
}

export function unknownMachine(name: string, version: number | undefined): StoreError {
  const which = version === undefined ? quote(name) : `${quote(name)} version ${version}`;
  return new StoreError('MACHINE_NOT_FOUND', `machine ${which} is not registered`, {
    details: version === undefined ? { machine: name } : { machine: name, version },
  });
}

/** @throws {StoreError} CONFLICT - the instance is not as the caller expects it. */
export function checkExpected(target: Target, id: string, call: Call): void {
  const { expectedState, expectedOffset } = call;
  if (expectedOffset !== undefined && expectedOffset !== target.offset) {
    throw new StoreError(
      'CONFLICT',
      `instance ${quote(id)} was changed by record ${target.offset}, not ${expectedOffset}`,
      {
        details: { reason: 'offset', expected: expectedOffset, actual: target.offset },
      },
    );
  }
  if (expectedState === undefined) return;
  const actual = target.definition.compiled.states[target.state] as string;
  if (actual !== expectedState) {
    throw new StoreError(
      'CONFLICT',
      `instance ${quote(id)} is in state ${quote(actual)}, not ${quote(expectedState)}`,
      {
        details: { reason: 'state', expected: expectedState, actual },
      },
    );
  }
}

export function invalidTransition(target: Target, id: string, event: string): StoreError {
  const compiled = target.definition.compiled;
  const state = compiled.states[target.state] as string;
  const permitted = compiled.permitted(target.state, target.context());
  return new StoreError(
    'INVALID_TRANSITION',
    `state ${quote(state)} of instance ${quote(id)} takes no event ${quote(event)}`,
    {
      details: { id, state, event, permitted },
    },
  );
}

/** Every candidate's guard failed; the one tried first is named. */
export function guardFailed(
  target: Target,
  id: string,
  event: string,
  first: number,
  context: Data,
): StoreError {
  const { compiled } = target.definition;
  const { guard, failing } = explainRefusal(compiled, first, context);
  const state = compiled.states[target.state] as string;
  const message = `event ${quote(event)} on instance ${quote(id)} is barred by ${failing}`;
  return new StoreError('GUARD_FAILED', message, { details: { id, state, event, guard, failing } });
}
