/** Reads inside a transaction: the applied state with everything that waits laid over it. */
import { badRequest } from '../base/errors.ts';
import { ROW_FLAG } from '../instance/row.ts';
import type { Instance } from './api/instance.ts';
import type { Page } from './api/query.ts';
import { countMatches, firstMatches } from './scan.ts';
import { decodeCursor, encodeCursor, identityOf } from './cursor.ts';
import type { Target } from './decide/target.ts';
import type { Pipeline } from './pipeline.ts';
import {
  type AnyQuery,
  isDescending,
  isMatch,
  limitOf,
  type Matcher,
  matcherFor,
  PAGE_FIELDS,
  SELECTION_FIELDS,
} from './selection.ts';

export class OverlayReads {
  private readonly pipeline: Pipeline;
  private readonly target: Target;
  private readonly storeId: string;

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
    const matcher = matcherFor(state, query, machine, PAGE_FIELDS);
    const limit = limitOf(query);
    const descending = isDescending(query);
    const identity = identityOf(this.storeId, matcher.text, descending);
    const order = (a: Buffer, b: Buffer): number =>
      descending ? Buffer.compare(b, a) : Buffer.compare(a, b);
    const after = query?.cursor === undefined ? undefined : decodeCursor(query.cursor, identity);
    const pending = this.pendingIds(matcher);
    // What waits may hide matches of the applied rows: read as many more as that could be.
    const spare = this.pipeline.overlay.size;
    const { first } = firstMatches(state, matcher, descending, after, limit + 1 + spare);
    const ids: Buffer[] = first
      .filter((handle) => this.pipeline.overlay.pendingAt(handle) === undefined)
      .map((handle): Buffer => Buffer.from(state.instances.idText(handle)))
      .concat(pending.filter((id) => after === undefined || order(id, after) > 0))
      .sort(order);
    const items = ids.slice(0, limit).map((id) => this.get(id.toString(), undefined) as Instance);
    const last = items.at(-1);
    const total = this.total(matcher, pending.length);
    return {
      items,
      ...(ids.length > limit && last !== undefined
        ? { cursor: encodeCursor(identity, last.id) }
        : {}),
      ...(query?.total === true ? { total } : {}),
      plan: `scan inside a transaction, ${total} match, in id order`,
    };
  }

  count(selection: AnyQuery | undefined, machine: string | undefined): number {
    const matcher = matcherFor(this.pipeline.state, selection, machine, SELECTION_FIELDS);
    return this.total(matcher, this.pendingIds(matcher).length);
  }

  private isThere(id: string, machine: string | undefined): boolean {
    const { target } = this;
    if (typeof id !== 'string') throw badRequest('id must be a string', 'id', 'string');
    if (!target.find(id) || target.isDeleted) return false;
    return machine === undefined || target.definition.machine.name === machine;
  }

  /** Applied matches that nothing waits for, and `pending` that something does. */
  private total(matcher: Matcher, pending: number): number {
    const { instances } = this.pipeline.state;
    let sum = countMatches(this.pipeline.state, matcher) + pending;
    for (const one of this.pipeline.overlay.all()) {
      if (one.isNew || (instances.flags(one.handle) & ROW_FLAG.deleted) !== 0) continue;
      const definition = instances.definition(one.handle);
      if (isMatch(matcher, definition, instances.state(one.handle))) sum--;
    }
    return sum;
  }

  /** Ids of matches that something waits for, in no order. */
  private pendingIds(matcher: Matcher): Buffer[] {
    const { instances } = this.pipeline.state;
    const ids: Buffer[] = [];
    for (const one of this.pipeline.overlay.all()) {
      const definition = one.definition?.index ?? -1;
      if (one.isDeleted || !isMatch(matcher, definition, one.state)) continue;
      ids.push(Buffer.from(one.isNew ? one.id : instances.idText(one.handle)));
    }
    return ids;
  }
}
