/**
 * What the store must hold in the end, worked out without it: a plain fold of the log in memory.
 * Deliberately free of any import from Pawl, so that a mistake there cannot repeat itself here.
 * The rules of the store are restated: the state is the last activity, the context is the attributes
 * laid over each other in order, and times never run backwards within a case.
 */
import type { Case } from './log-file.ts';

export interface FoldedCase {
  readonly state: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastEventId: string;
}

export function foldLog(cases: readonly Case[]): Map<string, FoldedCase> {
  return new Map(cases.map((item) => [item.id, foldCase(item)]));
}

function foldCase({ id, events }: Case): FoldedCase {
  const first = events[0];
  const last = events.at(-1);
  if (first === undefined || last === undefined) throw new Error(`case ${id} has no events`);
  return {
    state: last.activity,
    // fromEntries, not Object.assign: a field named __proto__ is data here, not a prototype.
    context: Object.fromEntries(events.flatMap(({ attrs }) => Object.entries(attrs))),
    createdAt: first.at,
    updatedAt: events.reduce((latest, { at }) => Math.max(latest, at), first.at),
    lastEventId: String(last.seq),
  };
}
