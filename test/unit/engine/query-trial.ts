/**
 * A random store of one machine and random queries on it, with a model to compare answers with: a
 * list of plain objects, filtered and sorted. For tests of plans, cursors and reopened stores.
 */
import assert from 'node:assert/strict';
import {
  openStore,
  type Filter,
  type Instance,
  type MachineDefinition,
  type Query,
  type Store,
  type StoreOptions,
} from 'pawl';
import { manualClock } from 'pawl/testing';
import { checkIndexes } from '../../../src/indexes/check-indexes.ts';
import { matches } from '../../../src/query/match.ts';
import { compareUtf8, compareValues } from '../../../src/query/order.ts';
import { parseFilter } from '../../../src/query/parse-filter.ts';
import { valueIn } from '../../../src/query/paths.ts';
import { stateOf } from './store-state.ts';
import { type Choices, pick, seededChoices } from '../../sim/choices.ts';

const PATHS = ['n', 'name', 'deep.a', 'tags', 'unknown'];
export const STATES: string[] = ['new', 'busy', 'done'];
const TEXTS = [
  '',
  'a',
  'ab',
  'abc',
  'b',
  'é',
  '😀',
  '\uffff',
  'x'.repeat(1200),
  `${'x'.repeat(1200)}y`,
];
const NUMBERS = [-1.5, 0, 1, 2, 3, 1e300, 9007199254740993n, 9007199254740992, -5n];

export function definition(indexes: readonly string[], version: number): MachineDefinition {
  return {
    name: 'thing',
    version,
    states: STATES,
    initial: 'new',
    transitions: [
      { from: STATES, event: 'GO', to: 'busy' },
      { from: STATES, event: 'END', to: 'done' },
      { from: STATES, event: 'BACK', to: 'new' },
    ],
    indexes,
  };
}

/** Draws, in the words of this test. */
class Chooser {
  readonly below: Choices;

  constructor(seed: number) {
    this.below = seededChoices(seed);
  }

  chance(share: number): boolean {
    return this.below(1000) < share * 1000;
  }

  one<T>(from: readonly T[]): T {
    return pick(this.below, from);
  }
}

export class Trial {
  readonly choose: Chooser;
  readonly clock = manualClock(1_000_000);
  readonly ids = new Set<string>();
  readonly plans = new Set<string>();
  store!: Store;
  private next = 0;
  /** Times of facts come in order, as they do where nothing is imported. */
  private readonly isOrderly: boolean;

  constructor(seed: number) {
    this.isOrderly = seed % 3 === 0;
    this.choose = new Chooser(seed);
  }

  async open(location: string = ':memory:', options: StoreOptions = {}): Promise<void> {
    this.store = await openStore(location, { clock: this.clock, ...options });
    await this.store.machines.put(definition(this.indexes(), 1));
  }

  indexes(): string[] {
    return PATHS.filter(() => this.choose.chance(0.7));
  }

  value(): unknown {
    const { choose } = this;
    return choose.one([
      null,
      true,
      false,
      choose.one(NUMBERS),
      choose.one(TEXTS),
      [choose.one(TEXTS), choose.one(NUMBERS), choose.one(TEXTS), null, [1]],
      [],
      { a: 1 },
    ]);
  }

  context(): Record<string, unknown> {
    const { choose } = this;
    const context: Record<string, unknown> = {};
    if (choose.chance(0.8)) context['n'] = choose.one<unknown>([...NUMBERS, this.value()]);
    if (choose.chance(0.8)) context['name'] = choose.one<unknown>([...TEXTS, this.value()]);
    if (choose.chance(0.5))
      context['deep'] = choose.chance(0.8) ? { a: this.value() } : this.value();
    if (choose.chance(0.5)) context['tags'] = this.value();
    return context;
  }

  async write(count: number): Promise<void> {
    const { choose, store, ids } = this;
    for (let i = 0; i < count; i++) {
      const options =
        !this.isOrderly && choose.chance(0.3) ? { at: choose.below(2_000_000) - 500_000 } : {};
      const known = [...ids];
      const id = known.length === 0 ? '' : choose.one(known);
      const roll = choose.below(10);
      if (roll < 5 || id === '') {
        const made = choose.chance(0.5)
          ? `id-${this.next++}`
          : `${choose.one(TEXTS).slice(0, 3)}${this.next++}`;
        await store.instances.create({
          machine: 'thing',
          id: made,
          context: this.context(),
          ...options,
        });
        ids.add(made);
      } else if (roll < 9) {
        const event = choose.one(['GO', 'END', 'BACK']);
        await store.instances.apply(
          id,
          event,
          choose.chance(0.6) ? this.context() : undefined,
          options,
        );
      } else {
        await store.instances.delete(id, options);
        ids.delete(id);
      }
      if (choose.chance(0.3)) await this.clock.advance(choose.below(500));
      // A handle of a purged instance is another's soon.
      if (choose.chance(0.02)) await this.clock.advance(25 * 3_600_000);
    }
  }

  filter(depth = 0): Filter {
    const { choose } = this;
    const path = choose.one(PATHS);
    const scalar = (): never =>
      choose.one<unknown>([...NUMBERS, ...TEXTS, null, true, false]) as never;
    if (depth < 2 && choose.chance(0.3)) {
      const parts = [this.filter(depth + 1), this.filter(depth + 1)];
      return choose.one<Filter>([{ or: parts }, { and: parts }, { not: parts[0] }]);
    }
    return choose.one<Filter>([
      { [path]: scalar() },
      { [path]: { gte: choose.one(NUMBERS) } },
      { [path]: { gt: choose.one(TEXTS) } },
      { [path]: { gt: -2, lt: choose.one([3, 2.5, 9007199254740993n]) } },
      { [path]: { lte: choose.one(TEXTS) } },
      { [path]: { prefix: choose.one(TEXTS) } },
      { [path]: { in: [scalar(), scalar(), scalar()] } },
      { [path]: { notIn: [scalar(), scalar()] } },
      { [path]: { ne: scalar() } },
      { [path]: { contains: scalar() } },
      { [path]: { exists: choose.chance(0.5) } },
    ]);
  }

  query(): Query {
    const { choose } = this;
    const query: Query = { allowScan: true };
    if (choose.chance(0.6)) query.where = this.filter();
    if (choose.chance(0.4)) query.state = choose.chance(0.5) ? choose.one(STATES) : ['new', 'done'];
    if (choose.chance(0.2)) query.createdAt = { gte: choose.below(1_000_000) };
    if (choose.chance(0.2)) query.updatedAt = { lt: 500_000 + choose.below(1_000_000) };
    if (choose.chance(0.7)) query.orderBy = choose.one(['id', 'createdAt', 'updatedAt', ...PATHS]);
    if (choose.chance(0.5)) query.direction = choose.one(['asc', 'desc'] as const);
    return query;
  }

  /** By a list of plain objects. */
  expected(
    query: Query,
    all: readonly Instance[] = [...this.ids].map((id) => this.store.instances.get(id) as Instance),
  ): Instance[] {
    const predicate = parseFilter(query.where, 'where');
    const within = (
      time: number,
      range: { gte?: number | undefined; lt?: number | undefined } | undefined,
    ): boolean =>
      (range?.gte === undefined || time >= range.gte) &&
      (range?.lt === undefined || time < range.lt);
    const found = all
      .filter((one) => query.state === undefined || [query.state].flat().includes(one.state))
      .filter(
        (one) => within(one.createdAt, query.createdAt) && within(one.updatedAt, query.updatedAt),
      )
      .filter((one) => matches(predicate, (path) => valueIn(one.context, path)));
    return found.sort((a, b) => this.compare(a, b, query));
  }

  compare(a: Instance, b: Instance, query: Query): number {
    const { orderBy = 'id' } = query;
    const value = (one: Instance): unknown => {
      if (orderBy === 'id') return 0;
      if (orderBy === 'createdAt') return one.createdAt;
      if (orderBy === 'updatedAt') return one.updatedAt;
      return valueIn(one.context, orderBy.split('.'));
    };
    const sign = query.direction === 'desc' ? -1 : 1;
    return sign * (compareValues(value(a), value(b)) || compareUtf8(a.id, b.id));
  }

  check(query: Query): void {
    const expected = this.expected(query).map((one) => one.id);
    const about = JSON.stringify(query, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    const { instances } = this.store;
    const all = [...instances.iterate({ machine: 'thing', ...query })].map((one) => one.id);
    assert.deepEqual(all, expected, `iterate ${about}`);
    const { orderBy: _, direction: __, ...selection } = query;
    const counted = instances.count({ machine: 'thing', ...selection });
    assert.equal(counted, expected.length, `count ${about}`);
    const limit = 1 + this.choose.below(7);
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const total = this.choose.chance(0.3);
      const page = this.store.instances.find({ machine: 'thing', ...query, limit, cursor, total });
      this.plans.add(page.plan.replaceAll(/[\d-]+/g, 'N').replaceAll(/index \S+/g, 'index P'));
      paged.push(...page.items.map((one) => one.id));
      if (total) assert.equal(page.total, expected.length, `total ${about}`);
      ({ cursor } = page);
      assert(
        page.items.length === limit || cursor === undefined,
        `a full page before the last: ${about}`,
      );
    } while (cursor !== undefined);
    assert.deepEqual(paged, expected, `find ${about}`);
  }

  /** What the indexes hold against what the rows say. */
  checkIndexes(): void {
    const steps = checkIndexes(stateOf(this.store));
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    assert.deepEqual(step.value, []);
  }
}
