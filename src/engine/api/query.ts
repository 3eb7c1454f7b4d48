/** Public types of queries: today by machine, version and state, in id order. */

export interface Range<T = number> {
  gte?: T | undefined;
  gt?: T | undefined;
  lte?: T | undefined;
  lt?: T | undefined;
}

export interface Selection<S extends string = string> {
  version?: number | undefined;
  state?: S | readonly S[] | undefined;
}

export interface Query<S extends string = string> extends Selection<S> {
  /** Ids are ordered by their UTF-8 bytes. Other orders: UNSUPPORTED. */
  orderBy?: 'id' | undefined;
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
  /** Chosen access path as one line of text, made when read; for people, not for parsing. */
  readonly plan: string;
}
