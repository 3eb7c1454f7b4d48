/** Definitions in the reference model: put and remove, with what refuses them. */
import { type Answer, type Definition, textOf } from './commands.ts';
import type { ModelState, Registered } from './model-state.ts';

/** An answer, or what is to be done. */
type Decision = Answer | ((work: ModelState) => Answer);

export function putMachine(
  state: ModelState,
  definition: Definition,
  maxVersions: number,
): Decision {
  const { indexes, ...body } = definition;
  const { name, version } = definition;
  const text = textOf(body);
  const machine = state.machines.get(name);
  const existing = machine?.versions.get(version);
  if (existing !== undefined && existing.text !== text) return { code: 'MACHINE_VERSION_EXISTS' };
  const mustShow = existing === undefined || existing.isHidden;
  if (mustShow && state.offered(name).length >= maxVersions)
    return { code: 'MACHINE_VERSION_LIMIT_EXCEEDED' };
  // The first version of a machine brings its indexes; changing them later is a record of its own.
  const changesIndexes = machine !== undefined && textOf(machine.indexes) !== textOf(indexes);
  const answer = { name, version, created: existing === undefined };
  if (!mustShow && !changesIndexes) return { ...answer, created: false };
  return (work: ModelState): Answer => {
    const registered: Registered = { definition: body as Definition, text, isHidden: false };
    const versions = new Map(work.machines.get(name)?.versions).set(version, registered);
    work.machines.set(name, { versions, indexes: [...indexes] });
    work.offset += (mustShow ? 1 : 0) + (changesIndexes ? 1 : 0);
    return answer;
  };
}

export function removeMachine(state: ModelState, name: string, version: number): Decision {
  const existing = state.machines.get(name)?.versions.get(version);
  if (existing === undefined || existing.isHidden)
    return { code: 'MACHINE_NOT_FOUND', machine: name, version };
  const count = state.living(name, version);
  if (count > 0) return { code: 'CONFLICT', reason: 'in-use', count };
  return (work: ModelState): Answer => {
    const machine = work.machines.get(name);
    const versions = new Map(machine?.versions).set(version, { ...existing, isHidden: true });
    work.machines.set(name, { versions, indexes: machine?.indexes ?? [] });
    work.offset++;
    return undefined;
  };
}
