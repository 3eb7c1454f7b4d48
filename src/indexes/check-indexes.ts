/**
 * Proves the indexes equal to what a full scan of the rows says (IDX-3): every row is where its
 * state, its times and its context put it, and nothing else is anywhere. Goes row by row and pauses
 * often; writers may go on in between, because every step looks at one row as it is then.
 */
import type { InstanceStore } from '../instance/instance-store.ts';
import type { MachineStore } from '../instance/machine-store.ts';
import { NO_ROW, ROW_FLAG } from '../instance/row.ts';
import type { Indexes } from './indexes.ts';
import type { StateLists } from './state-lists.ts';

/** Rows between two pauses. */
const STEP_ROWS = 256;
/** Reported at most; one fault usually brings many. */
const MAX_FAULTS = 100;

export interface IndexFault {
  /** What is wrong, for people. */
  readonly reason: string;
  readonly handle: number;
}

export interface CheckedState {
  readonly instances: InstanceStore;
  readonly machines: MachineStore;
  readonly indexes: Indexes;
  readonly offset: number;
}

/** Builds what is not built yet; pauses at every yield. */
export function* checkIndexes(state: CheckedState): Generator<void, IndexFault[]> {
  const { instances, indexes } = state;
  const faults: IndexFault[] = [];
  indexes.wake(state.offset);
  while (indexes.buildMore()) yield;
  for (let handle = 0; handle < instances.rows.rows; handle++) {
    if (handle % STEP_ROWS === 0) yield;
    const reason = faultOf(state, handle);
    if (reason !== undefined) faults.push({ reason, handle });
    if (faults.length === MAX_FAULTS) break;
  }
  return faults;
}

function faultOf(state: CheckedState, handle: number): string | undefined {
  const { instances, indexes, machines } = state;
  const flags = instances.flags(handle) & (ROW_FLAG.live | ROW_FLAG.deleted);
  if (flags !== ROW_FLAG.live)
    return indexes.isIndexed(handle) ? 'it is gone and still in an index' : undefined;
  const definition = machines.at(instances.definition(handle));
  const lists = indexes.listsNow(state.offset);
  const listFault = faultInList(state, lists, handle);
  if (listFault !== undefined) return listFault;
  instances.contexts.locate(handle);
  const { bytes, start } = instances.contexts;
  for (const index of indexes.pathsOf(definition.machine, state.offset)?.all ?? [])
    if (!index.agrees(handle, bytes, start))
      return `index ${index.path} does not hold what its context says`;
  return undefined;
}

function faultInList(
  { instances, machines }: CheckedState,
  lists: StateLists,
  handle: number,
): string | undefined {
  const definition = machines.at(instances.definition(handle));
  const state = instances.state(handle);
  const heads = lists.headsOf(definition);
  const previous = lists.previousOf(handle);
  const next = lists.nextOf(handle);
  const isHeld =
    (previous === NO_ROW ? heads.first[state] : lists.nextOf(previous)) === handle &&
    (next === NO_ROW ? heads.last[state] : lists.previousOf(next)) === handle;
  if (!isHeld) return 'it is not in the list of its state';
  if (next === NO_ROW) return undefined;
  const isSame = instances.definition(next) === definition.index && instances.state(next) === state;
  if (!isSame || instances.offset(next) <= instances.offset(handle))
    return 'the one behind it in the list of its state does not belong there';
  const isEarlier = instances.updatedAt(next) < instances.updatedAt(handle);
  return isEarlier && heads.isUnordered[state] === 0
    ? 'the list of its state counts as ordered and is not'
    : undefined;
}
