/** Reads inside a transaction: the applied state with everything that waits laid over it. */
import { badRequest } from '../base/errors.ts';
import { ROW_FLAG } from '../instance/row.ts';
import { compilePredicate } from '../query/match.ts';
import { compareUtf8, compareValues, type Scalar } from '../query/order.ts';
import { valueIn } from '../query/paths.ts';
import type { Instance } from './api/instance.ts';
import type { Page } from './api/query.ts';
import type { Target } from './decide/target.ts';
import type { Pipeline } from './pipeline.ts';
import { cursorBehind, pageOf, readPageQuery } from './query/find.ts';
import type { Bound } from './query/ordering.ts';
import { countMatches, search } from './query/search.ts';
import {
  type AnyQuery,
  SELECTION_FIELDS,
  type Selected,
  type WantedOrder,
  checkDeclared,
  readSelection,
} from './query/selection.ts';
import { instanceAt } from './results.ts';
import { ownFields } from './write-options.ts';

export class OverlayReads {
  private readonly pipeline: Pipeline;
  private readonly target: Target;
  private readonly storeId: string;
  /** Rows that something waits for are looked at through the overlay. */
  private readonly isPending = (handle: number): boolean =>
    (this.pipeline.state.instances.flags(handle) & ROW_FLAG.pending) !== 0;

  constructor(pipeline: Pipeline, target: Target, storeId: string) {
    this.pipeline = pipeline;
    this.target = target;
    this.storeId = storeId;
  }

  get(id: string, machine: string | undefined): Instance | undefined {
    return this.isThere(id, machine) ? this.target.instance(id) : undefined;
  }

  can(id: string, event: string, machine: string | undefined): boolean {
    if (!this.isThere(id, machine)) return false;
    const { target } = this;
    const { compiled } = target.definition;
    const eventIndex = compiled.eventIndex(event);
    const first = eventIndex < 0 ? -1 : compiled.first(target.state, eventIndex);
    if (first < 0) return false;
    return (
      compiled.transitions[first]?.guard === undefined ||
      compiled.firstPassing(first, target.context()) >= 0
    );
  }

  find(query: AnyQuery | undefined, machine: string | undefined): Page<Instance> {
    const { state } = this.pipeline;
    const page = readPageQuery(state, this.storeId, query, machine);
    const { selected, order, bound, limit } = page;
    const pending = this.pendingMatches(selected);
    const { handles, total, plan } = search({
      state,
      selected,
      order,
      bound,
      most: limit + 1,
      wantsTotal: page.wantsTotal,
      isOut: this.isPending,
    });
    const applied = handles.map((handle) => this.applied(handle));
    const waiting = pending.filter((one) => bound === undefined || isBehind(one, order, bound));
    const all = [...applied, ...waiting].sort((a, b) => compare(a, b, order));
    const items = all.slice(0, limit);
    const last = items.at(-1);
    const hasMore = all.length > limit && last !== undefined;
    const cursor = hasMore
      ? cursorBehind(page, state.offset, sortValue(last, order), last.id)
      : undefined;
    const sum = total === undefined ? undefined : total + pending.length;
    return pageOf(items, cursor, sum, `${plan}; and ${pending.length} that wait for the disk`);
  }

  count(selection: AnyQuery | undefined, machine: string | undefined): number {
    const { state, overlay } = this.pipeline;
    const own = ownFields(selection, 'query');
    const selected = readSelection(state, own, machine, SELECTION_FIELDS);
    checkDeclared(state, selected);
    if (overlay.size === 0) return countMatches(state, selected);
    return countMatches(state, selected, this.isPending) + this.pendingMatches(selected).length;
  }

  private isThere(id: string, machine: string | undefined): boolean {
    const { target } = this;
    if (typeof id !== 'string') throw badRequest('id must be a string', 'id', 'string');
    if (!target.find(id) || target.isDeleted) return false;
    return machine === undefined || target.definition.machine.name === machine;
  }

  private applied(handle: number): Instance {
    const { state } = this.pipeline;
    const { instances, machines } = state;
    const definition = machines.at(instances.definition(handle));
    return instanceAt(state, handle, instances.idText(handle), definition);
  }

  /** Those that something waits for, as the commands before this one leave them. */
  private pendingMatches(selected: Selected): Instance[] {
    const { instances } = this.pipeline.state;
    const match = compilePredicate(selected.where);
    const found: Instance[] = [];
    for (const one of this.pipeline.overlay.all()) {
      const states = selected.states[one.definition?.index ?? -1];
      if (one.isDeleted || states?.[one.state] !== 1) continue;
      const instance = this.get(one.isNew ? one.id : instances.idText(one.handle), undefined);
      if (instance === undefined || !isInTime(instance, selected)) continue;
      if (match((path) => valueIn(instance.context, path))) found.push(instance);
    }
    return found;
  }
}

function isInTime({ createdAt, updatedAt }: Instance, selected: Selected): boolean {
  const { createdAt: created, updatedAt: updated } = selected;
  if (created !== undefined && (createdAt < created.first || createdAt > created.last))
    return false;
  return updated === undefined || (updatedAt >= updated.first && updatedAt <= updated.last);
}

function sortValue(instance: Instance, order: WantedOrder): Scalar | undefined {
  if (order.by === 'id') return undefined;
  if (order.by !== 'path') return instance[order.by];
  const value = valueIn(instance.context, order.names);
  return typeof value === 'object' && value !== null ? undefined : (value as Scalar);
}

function compare(a: Instance, b: Instance, order: WantedOrder): number {
  const byValue = compareValues(sortValue(a, order), sortValue(b, order));
  return (order.isDescending ? -1 : 1) * (byValue || compareUtf8(a.id, b.id));
}

function isBehind(instance: Instance, order: WantedOrder, bound: Bound): boolean {
  const byValue = compareValues(sortValue(instance, order), bound.value);
  const byId = Buffer.compare(Buffer.from(instance.id), bound.id);
  return (order.isDescending ? -1 : 1) * (byValue || byId) > 0;
}
