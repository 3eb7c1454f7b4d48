/** A collection as a plain Map, and random calls made on it and on the real one: what they must agree on. */
import type {
  Collection,
  Match,
  Scope,
  SearchQuery,
  TransactionCollection,
  VectorEntry,
  VectorInput,
} from 'pawl';
import { isStoreError } from 'pawl';
import type { Choices } from '../../../sim/choices.ts';
import type { ManualClock } from '../cases/contract.ts';

export const METRICS = ['cosine', 'euclidean', 'dot', 'manhattan'] as const;
export type Metric = (typeof METRICS)[number];
const DIMENSIONS = 5;
const IDS = 24;
const SCOPES: readonly Scope[] = [
  'global',
  { kind: 'user', id: 'ada' },
  { kind: 'tool', id: 'ada' },
];

export interface Kept {
  vector: number[];
  metadata: Record<string, unknown> | undefined;
  scope: Scope;
  createdAt: number;
  updatedAt: number;
  eventTime: number | undefined;
  expiresAt: number;
}

/** What a call gives: its value, or the code of its refusal. */
export type Outcome = { readonly value: unknown } | { readonly code: string };
type Call = { readonly on: (real: Writer) => unknown; readonly model: () => unknown };
type Writer = Collection | TransactionCollection;

class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const same = (a: Scope, b: Scope): boolean => JSON.stringify(a) === JSON.stringify(b);

export class Model {
  entries = new Map<string, Kept>();
  readonly metric: Metric;
  private readonly choose: Choices;
  private readonly clock: ManualClock;

  constructor(metric: Metric, choose: Choices, clock: ManualClock) {
    this.metric = metric;
    this.choose = choose;
    this.clock = clock;
  }

  visible(id: string): Kept | undefined {
    const kept = this.entries.get(id);
    return kept !== undefined && kept.expiresAt > this.clock.time ? kept : undefined;
  }

  all(): [string, Kept][] {
    return [...this.entries].filter(([id]) => this.visible(id) !== undefined);
  }

  // ---- one random call ----------------------------------------------------------------------------

  next(inTransaction: boolean): Call {
    const kind = this.choose(inTransaction ? 10 : 12);
    if (kind < 6) return this.put(kind < 3);
    if (kind < 8) return this.metadata();
    if (kind < 10) return this.remove();
    return this.removeScope();
  }

  private id(): string {
    return `e${this.choose(IDS)}`;
  }

  private vector(): number[] {
    // Small integers: many equal distances, so that ties are met.
    const vector = Array.from({ length: DIMENSIONS }, () => this.choose(5) - 2);
    return vector.every((x) => x === 0) ? [1, 0, 0, 0, 0] : vector;
  }

  private fields(): Record<string, unknown> {
    const { choose } = this;
    const fields: Record<string, unknown> = { n: choose(6) };
    if (choose(2) === 0) fields['tags'] = ['a', 'b', 'c'].slice(choose(3));
    if (choose(3) === 0) fields['deep'] = { x: choose(3) };
    if (choose(5) === 0) fields['long'] = 'y'.repeat(choose(300));
    return fields;
  }

  private input(): VectorInput & { id: string } {
    const { choose } = this;
    return {
      id: this.id(),
      vector: choose(2) === 0 ? this.vector() : Float32Array.from(this.vector()),
      ...(choose(4) > 0 && { metadata: this.fields() }),
      ...(choose(3) === 0 && { scope: SCOPES[choose(3)] }),
      ...(choose(3) === 0 && { eventTime: choose(1000) }),
      ...(choose(4) === 0 && { ttlMs: 1 + choose(2000) }),
    };
  }

  private put(isUpsert: boolean): Call {
    const inputs = Array.from({ length: 1 + this.choose(3) }, () => this.input());
    return {
      on: (real) => (isUpsert ? real.upsert(inputs) : real.insert(inputs)),
      model: () => {
        const ids = inputs.map(({ id }) => id);
        const isTaken = ids.some((id) => !isUpsert && this.visible(id) !== undefined);
        if (new Set(ids).size < ids.length || isTaken) throw new Refused('VECTOR_EXISTS');
        for (const one of inputs) this.keep(one);
        return ids;
      },
    };
  }

  private keep(input: VectorInput & { id: string }): void {
    const now = this.clock.time;
    const before = this.visible(input.id);
    this.entries.set(input.id, {
      vector: [...input.vector],
      metadata: input.metadata,
      scope: input.scope ?? 'global',
      createdAt: before?.createdAt ?? now,
      updatedAt: Math.max(now, before?.updatedAt ?? now),
      eventTime: input.eventTime,
      expiresAt: input.ttlMs === undefined ? Infinity : now + input.ttlMs,
    });
  }

  private metadata(): Call {
    const [id, fields, mode] = [this.id(), this.fields(), this.choose(3)];
    const options = mode === 0 ? ({ mode: 'replace' } as const) : {};
    return {
      on: (real) => real.updateMetadata(id, fields, options),
      model: () => {
        const kept = this.visible(id);
        if (kept === undefined) throw new Refused('VECTOR_NOT_FOUND');
        const metadata = mode === 0 ? fields : { ...kept.metadata, ...fields };
        const updatedAt = Math.max(kept.updatedAt, this.clock.time);
        this.entries.set(id, { ...kept, metadata, updatedAt });
        return undefined;
      },
    };
  }

  private remove(): Call {
    const ids = Array.from({ length: 1 + this.choose(3) }, () => this.id());
    return {
      on: (real) => real.delete(ids),
      model: () => {
        const [deleted, missing]: [string[], string[]] = [[], []];
        for (const id of new Set(ids)) {
          (this.visible(id) === undefined ? missing : deleted).push(id);
          this.entries.delete(id);
        }
        return { deleted, missing };
      },
    };
  }

  private removeScope(): Call {
    const scope = SCOPES[this.choose(3)] as Scope;
    return {
      on: (real) => (real as Collection).deleteScope(scope),
      model: () => {
        const inScope = this.all().filter(([, kept]) => same(kept.scope, scope));
        for (const [id] of inScope) this.entries.delete(id);
        return inScope.length;
      },
    };
  }

  // ---- what reads must show ------------------------------------------------------------------------

  entry(id: string): VectorEntry | undefined {
    const kept = this.visible(id);
    if (kept === undefined) return undefined;
    const { vector, metadata, scope, createdAt, updatedAt, eventTime, expiresAt } = kept;
    return {
      id,
      vector: Float32Array.from(vector),
      ...(metadata === undefined ? {} : { metadata }),
      scope,
      createdAt,
      updatedAt,
      ...(eventTime === undefined ? {} : { eventTime }),
      ...(expiresAt === Infinity ? {} : { expiresAt }),
    };
  }

  query(): { readonly query: SearchQuery; readonly passes: (kept: Kept) => boolean } {
    const { choose } = this;
    const scope = choose(4);
    const n = choose(6);
    const filterKind = choose(5);
    const from = choose(500);
    const kinds = [
      undefined,
      { n },
      { 'deep.x': { gte: 1 } },
      { tags: { contains: 'c' } },
      { not: { n: { lt: n } } },
    ];
    const [hasEvent, hasIngested] = [choose(4) === 0, choose(4) === 0];
    const since = this.clock.time - choose(2000);
    const query: SearchQuery = {
      vector: this.vector(),
      k: 1 + choose(8),
      filter: kinds[filterKind],
      ...(scope === 0 ? {} : { scope: scope === 3 ? 'all' : [SCOPES[scope] as Scope] }),
      ...(hasEvent && { eventTime: { gte: from, lte: from + 400 } }),
      ...(hasIngested && { ingestedAt: { gte: since } }),
      ...(choose(3) === 0 && { threshold: this.metric === 'dot' ? choose(6) : choose(10) / 10 }),
      includeVector: choose(2) === 0,
    };
    const value = (kept: Kept): number | undefined => kept.metadata?.['n'] as number | undefined;
    const filters: ((kept: Kept) => boolean)[] = [
      () => true,
      (kept) => value(kept) === n,
      (kept) => ((kept.metadata?.['deep'] as { x: number } | undefined)?.x ?? 0) >= 1,
      (kept) => ((kept.metadata?.['tags'] ?? []) as string[]).includes('c'),
      (kept) => !((value(kept) ?? Infinity) < n),
    ];
    const passes = (kept: Kept): boolean =>
      (scope === 3 || same(kept.scope, SCOPES[scope] as Scope)) &&
      (filters[filterKind]?.(kept) ?? false) &&
      (!hasEvent ||
        (kept.eventTime !== undefined && kept.eventTime >= from && kept.eventTime <= from + 400)) &&
      (!hasIngested || kept.createdAt >= since);
    return { query, passes };
  }

  /** By definition: every distance, all sorted, the first k. */
  found(query: SearchQuery, passes: (kept: Kept) => boolean): Match[] {
    const matches = this.all().flatMap(([id, kept]): Match[] => {
      if (!passes(kept)) return [];
      const [score, distance] = scored(this.metric, [...query.vector], kept.vector);
      if (score < (query.threshold ?? -Infinity)) return [];
      return [
        {
          id,
          score,
          distance,
          ...(kept.metadata === undefined ? {} : { metadata: kept.metadata }),
          ...(query.includeVector === true ? { vector: Float32Array.from(kept.vector) } : {}),
        },
      ];
    });
    const sorted = matches.sort(
      (a, b) => b.score - a.score || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)),
    );
    return sorted.slice(0, query.k);
  }
}

/** Components are small integers, so sums are exact in any order. */
function scored(metric: Metric, a: number[], b: number[]): [score: number, distance: number] {
  const pairs = a.map((x, i): [number, number] => [x, b[i] as number]);
  const sum = (of: (x: number, y: number) => number): number =>
    pairs.reduce((all, [x, y]) => all + of(x, y), 0);
  const product = sum((x, y) => x * y);
  if (metric === 'dot') return [product, 0 - product];
  if (metric === 'cosine') {
    const lengths = Math.sqrt(sum((x) => x * x)) * Math.sqrt(sum((_, y) => y * y));
    const distance = 1 - Math.min(1, Math.max(-1, product / lengths));
    return [1 - distance, distance];
  }
  const distance =
    metric === 'manhattan'
      ? sum((x, y) => Math.abs(x - y))
      : Math.sqrt(sum((x, y) => (x - y) ** 2));
  return [1 / (1 + distance), distance];
}

export async function outcomeOf(run: () => unknown): Promise<Outcome> {
  try {
    return { value: await run() };
  } catch (error) {
    if (error instanceof Refused) return { code: error.code };
    if (isStoreError(error)) return { code: error.code };
    throw error;
  }
}

export function outcomeNow(run: () => unknown): Outcome {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof Refused) return { code: error.code };
    if (isStoreError(error)) return { code: error.code };
    throw error;
  }
}

export async function exported(collection: {
  export(): AsyncIterable<VectorEntry>;
}): Promise<VectorEntry[]> {
  const all: VectorEntry[] = [];
  for await (const entry of collection.export()) all.push(entry);
  return all.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export const CONFIG = { dimensions: DIMENSIONS } as const;
export const ALL_IDS: readonly string[] = Array.from({ length: IDS }, (_, i) => `e${i}`);
