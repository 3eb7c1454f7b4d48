/** The memory behind a store, for tests that compare all of it: state, digest, what is left of commands. */
import type { ReadStore } from 'pawl';
import type { Pipeline } from '../../../src/engine/pipeline.ts';
import { digestOf } from '../../../src/state/digest.ts';
import type { State } from '../../../src/state/state.ts';

export function stateOf(store: ReadStore): State {
  return (store as unknown as { readonly state: State }).state;
}

export function pipelineOf(store: ReadStore): Pipeline {
  return (store as unknown as { readonly pipeline: Pipeline }).pipeline;
}

/** Everything a fold produces, the free handles included: they decide what the next record says. */
export function imageOf(state: State): unknown {
  const { fresh, freeCount } = state.instances.free;
  return {
    offset: state.offset,
    digest: digestOf(state),
    // A handle taken and given back may lie below `fresh`: the same handles follow.
    handles: { inUse: fresh - freeCount, next: state.instances.free.peekNext() },
    total: state.instances.total,
    keys: state.keys.size,
  };
}

/** What a command could leave behind besides the state: overlay, offsets, handles, waiting definitions. */
export function tracesOf(store: ReadStore): unknown {
  const { overlay, records, state } = pipelineOf(store);
  return {
    overlay: overlay.size,
    created: [...overlay.created()].length,
    keys: overlay.keys.size,
    nextOffset: records.nextOffset,
    isInGroup: records.isInGroup,
    hasWaiting: state.machines.hasWaiting,
    definitions: state.machines.nextIndex,
  };
}
