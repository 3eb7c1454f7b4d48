/** Does a row match? Cheap facts first, then the filter over the packed context, path by path. */
import type { ContextStore } from '../../instance/context-store.ts';
import type { InstanceStore } from '../../instance/instance-store.ts';
import type { MachineStore } from '../../instance/machine-store.ts';
import { ROW_FLAG } from '../../instance/row.ts';
import { compilePredicate, type Match, type ValueAt } from '../../query/match.ts';
import type { Predicate } from '../../query/predicate.ts';
import type { State } from '../../state/state.ts';
import { readPackedPath } from '../../value/read-packed.ts';
import type { ShapeTable } from '../../value/shape-table.ts';
import type { Selected } from './selection.ts';

export class RowTest {
  private readonly instances: InstanceStore;
  private readonly machines: MachineStore;
  private readonly contexts: ContextStore;
  private readonly selected: Selected;
  private readonly match: Match | undefined;
  private shapes: ShapeTable | undefined;
  private readonly valueAt: ValueAt = (path) =>
    readPackedPath(this.shapes as ShapeTable, this.contexts.bytes, this.contexts.start, path);

  /** `filter`: what of the selection's filter is still to be checked. */
  constructor(state: State, selected: Selected, filter: Predicate) {
    this.instances = state.instances;
    this.machines = state.machines;
    this.contexts = state.instances.contexts;
    this.selected = selected;
    this.match = filter.kind === 'true' ? undefined : compilePredicate(filter);
  }

  passes(handle: number): boolean {
    const { instances, selected } = this;
    const flags = instances.flags(handle) & (ROW_FLAG.live | ROW_FLAG.deleted);
    if (flags !== ROW_FLAG.live) return false;
    const definition = instances.definition(handle);
    if (selected.states[definition]?.[instances.state(handle)] !== 1) return false;
    const { createdAt, updatedAt } = selected;
    if (createdAt !== undefined) {
      const time = instances.createdAt(handle);
      if (time < createdAt.first || time > createdAt.last) return false;
    }
    if (updatedAt !== undefined) {
      const time = instances.updatedAt(handle);
      if (time < updatedAt.first || time > updatedAt.last) return false;
    }
    return this.match === undefined || this.matches(handle, definition, this.match);
  }

  private matches(handle: number, definition: number, match: Match): boolean {
    this.contexts.locate(handle);
    this.shapes = this.machines.at(definition).machine.shapes;
    return match(this.valueAt);
  }
}
