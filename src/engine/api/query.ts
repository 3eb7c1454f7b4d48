/** Public types of queries; docs/queries.md says what they mean. */
import type { Scalar } from '../../query/order.ts';

export type { Scalar } from '../../query/order.ts';

/** Bounds; each one given must hold. `gt` with `gte`, `lt` with `lte` and ranges turned round are BAD_REQUEST. */
export interface Range<T = number> {
  gte?: T | undefined;
  gt?: T | undefined;
  lte?: T | undefined;
  lt?: T | undefined;
}

/** What the value at a path must satisfy: every operator given. */
export interface Operators<T = Scalar> {
  /** Numbers and bigints by exact value. Lists and objects equal nothing. */
  eq?: T | undefined;
  /** The opposite: holds for absent values, lists and objects too. */
  ne?: T | undefined;
  /** Order among values of one kind: numbers, strings by their UTF-8 bytes, booleans. */
  gt?: T | undefined;
  gte?: T | undefined;
  lt?: T | undefined;
  lte?: T | undefined;
  /** Equal to one of at most 10,000. */
  in?: readonly T[] | undefined;
  notIn?: readonly T[] | undefined;
  /** A string that begins like this. */
  prefix?: string | undefined;
  /** A list with an item equal to this. */
  contains?: Scalar | undefined;
  /** Is there a value at all, be it null, a list or an object? */
  exists?: boolean | undefined;
}

/**
 * A condition on contexts: all its paths must hold, and `and`, `or` and `not`. Paths are dotted.
 * `and`, `or`, `not` are reserved: a field of that name is written as the path './and'.
 */
export type Filter = {
  readonly [path: string]: Scalar | Operators | Filter | readonly Filter[] | undefined;
} & {
  readonly and?: readonly Filter[] | undefined;
  readonly or?: readonly Filter[] | undefined;
  readonly not?: Filter | undefined;
};

export interface Selection<S extends string = string> {
  version?: number | undefined;
  state?: S | readonly S[] | undefined;
  /** A path without an index is BAD_REQUEST unless `allowScan`. */
  where?: Filter | undefined;
  /** Milliseconds. */
  createdAt?: Range | undefined;
  /** Milliseconds. */
  updatedAt?: Range | undefined;
  /** Look at every instance where no index helps. */
  allowScan?: boolean | undefined;
}

export interface Query<S extends string = string> extends Selection<S> {
  /** 'id' (by UTF-8 bytes; the default), 'createdAt', 'updatedAt' or an indexed context path. Ties are broken by id. */
  orderBy?: 'id' | 'createdAt' | 'updatedAt' | (string & {}) | undefined;
  direction?: 'asc' | 'desc' | undefined;
}

export interface PageOptions {
  /** Default 100, at most 100,000. A page that is not the last one always has a cursor. */
  limit?: number | undefined;
  cursor?: Cursor | undefined;
  /** Count all matches too. */
  total?: boolean | undefined;
}

/** Opaque text, bound to its query and store: BAD_REQUEST with any other. */
export type Cursor = string;

export interface Page<T> {
  readonly items: readonly T[];
  /** Present exactly when there is more. */
  readonly cursor?: Cursor;
  readonly total?: number;
  /** Chosen access path as one line of text; for people, not for parsing. */
  readonly plan: string;
}
