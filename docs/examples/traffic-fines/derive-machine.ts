/**
 * Derives a state machine from a log. A log holds what happened, not what may happen: the machine
 * allows exactly the steps somebody took. Every activity is an event and also the state it leads to;
 * a case begins in a state of its own, so that its first activity is an event like any other.
 */
import type { MachineDefinition } from 'pawl';
import type { Case } from './log-file.ts';

export interface DerivedMachine {
  readonly definition: MachineDefinition;
  /** Distinct pairs of a state and the event that followed, those leaving the initial state included. */
  readonly steps: number;
}

/** The definition as plain data, as a configuration file or another process would send it. */
export function deriveMachine(name: string, cases: readonly Case[]): DerivedMachine {
  const sources = stepsTaken(cases);
  const initial = unusedName('new', sources);
  let steps = 0;
  const transitions = Array.from(sources, ([activity, from]) => {
    steps += from.size;
    return {
      from: Array.from(from, (state) => state ?? initial),
      event: activity,
      to: activity,
    };
  });
  return {
    definition: { name, version: 1, states: [initial, ...sources.keys()], initial, transitions },
    steps,
  };
}

/** For every activity the activities it directly followed; undefined stands for the beginning. */
function stepsTaken(cases: readonly Case[]): Map<string, Set<string | undefined>> {
  const sources = new Map<string, Set<string | undefined>>();
  for (const { events } of cases) {
    let previous: string | undefined;
    for (const { activity } of events) {
      const from = sources.get(activity);
      if (from === undefined) sources.set(activity, new Set([previous]));
      else from.add(previous);
      previous = activity;
    }
  }
  return sources;
}

/** A log may well have an activity called 'new'. */
function unusedName(wanted: string, taken: ReadonlyMap<string, unknown>): string {
  let name = wanted;
  while (taken.has(name)) name = `(${name})`;
  return name;
}
