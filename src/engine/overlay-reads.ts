/** Reads inside a transaction: the applied state with everything that waits laid over it. */
import { badRequest } from '../base/errors.ts';
import { ROW_FLAG } from '../instance/row.ts';
import type { Instance } from './api/instance.ts';
import type { Page, PageOptions, Query, Selection } from './api/query.ts';
import { decodeCursor, encodeCursor, identityOf } from './cursor.ts';
import type { Target } from './decide/target.ts';
import type { Pipeline } from './pipeline.ts';
import {
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

  find(
    query: ({ machine?: string | undefined } & Query & PageOptions) | undefined,
    machine: string | undefined,
  ): Page<Instance> {
    const matcher = matcherFor(this.pipeline.state, query, machine, PAGE_FIELDS);
    const limit = limitOf(query);
    const descending = isDescending(query);
    const identity = identityOf(this.storeId, matcher.text, descending);
    const order = (a: Buffer, b: Buffer): number =>
      descending ? Buffer.compare(b, a) : Buffer.compare(a, b);
    const after = query?.cursor === undefined ? undefined : decodeCursor(query.cursor, identity);
    const matches = this.matching(matcher).map((id) => Buffer.from(id));
    const rest = matches.filter((id) => after === undefined || order(id, after) > 0).sort(order);
    const items = rest
      .slice(0, limit)
      .map((id) => this.get(id.toString('utf8'), undefined) as Instance);
    const last = items.at(-1);
    return {
      items,
      ...(rest.length > limit && last !== undefined
        ? { cursor: encodeCursor(identity, last.id) }
        : {}),
      ...(query?.total === true ? { total: matches.length } : {}),
      plan: `scan inside a transaction, ${matches.length} match, in id order`,
    };
  }

  count(
    selection: ({ machine?: string | undefined } & Selection) | undefined,
    machine: string | undefined,
  ): number {
    return this.matching(matcherFor(this.pipeline.state, selection, machine, SELECTION_FIELDS))
      .length;
  }

  private isThere(id: string, machine: string | undefined): boolean {
    const { target } = this;
    if (typeof id !== 'string') throw badRequest('id must be a string', 'id', 'string');
    if (!target.find(id) || target.isDeleted) return false;
    return machine === undefined || target.definition.machine.name === machine;
  }

  /** Ids of all matches, in no order. */
  private matching(matcher: Matcher): string[] {
    const { target } = this;
    const { instances } = this.pipeline.state;
    const ids: string[] = [];
    const take = (handle: number, id: () => string): void => {
      target.load(handle);
      if (!target.isDeleted && isMatch(matcher, target.definition.index, target.state))
        ids.push(id());
    };
    for (let handle = 0; handle < instances.rows.rows; handle++) {
      if ((instances.flags(handle) & ROW_FLAG.live) !== 0)
        take(handle, () => instances.idText(handle));
    }
    for (const pending of this.pipeline.overlay.created()) take(pending.handle, () => pending.id);
    return ids;
  }
}
