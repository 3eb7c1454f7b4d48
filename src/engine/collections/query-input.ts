/** What a search or a count asks for, read once and checked. */
import { badRequest } from '../../base/errors.ts';
import { parseFilter } from '../../query/parse-filter.ts';
import type { Predicate } from '../../query/predicate.ts';
import { parseTimeRange, type TimeRange } from '../../query/time-range.ts';
import { ownFields } from '../write-options.ts';
import { checkVector } from './entry-input.ts';
import { checkScopes } from './scope.ts';

const SEARCH_FIELDS: readonly string[] = [
  'vector',
  'k',
  'filter',
  'scope',
  'threshold',
  'efSearch',
  'exact',
  'eventTime',
  'ingestedAt',
  'includeVector',
  'includeMetadata',
];
const COUNT_FIELDS: readonly string[] = ['filter', 'scope'];

/** Which entries count. */
export interface EntrySelection {
  readonly filter: Predicate;
  /** undefined: all. */
  readonly scopes: ReadonlySet<string> | undefined;
  readonly eventTime: TimeRange | undefined;
  readonly ingestedAt: TimeRange | undefined;
}

export interface CheckedSearch extends EntrySelection {
  readonly vector: Float32Array;
  readonly k: number;
  /** -Infinity: none. */
  readonly threshold: number;
  readonly includeVector: boolean;
  readonly includeMetadata: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws {StoreError} BAD_REQUEST, INVALID_VECTOR */
export function checkSearch(input: unknown, bound: string | undefined): CheckedSearch {
  const fields = readKnown(input, 'query', SEARCH_FIELDS);
  const { k, threshold, efSearch } = fields;
  if (!isCount(k))
    throw badRequest('query.k must be a positive integer', 'query.k', 'integer from 1');
  if (efSearch !== undefined && !isCount(efSearch))
    throw badRequest(
      'query.efSearch must be a positive integer',
      'query.efSearch',
      'integer from 1',
    );
  flag(fields, 'exact', false);
  const isThreshold = typeof threshold === 'number' && !Number.isNaN(threshold);
  if (threshold !== undefined && !isThreshold)
    throw badRequest('query.threshold must be a number', 'query.threshold', 'number');
  return {
    vector: checkVector(fields['vector'], 'query.vector'),
    k,
    threshold: isThreshold ? threshold : -Infinity,
    includeVector: flag(fields, 'includeVector', false),
    includeMetadata: flag(fields, 'includeMetadata', true),
    ...selectionOf(fields, 'query', bound),
  };
}

/** @throws {StoreError} BAD_REQUEST */
export function checkCount(input: unknown, bound: string | undefined): EntrySelection {
  const fields = input === undefined ? {} : readKnown(input, 'options', COUNT_FIELDS);
  return selectionOf(fields, 'options', bound);
}

function readKnown(input: unknown, at: string, known: readonly string[]): Fields {
  const fields = ownFields(input as object | undefined, at) as Fields | undefined;
  if (fields === undefined) throw badRequest(`${at} must be an object`, at, 'object');
  for (const name of Object.keys(fields)) {
    if (!known.includes(name))
      throw badRequest(`${at} has no field ${JSON.stringify(name)}`, `${at}.${name}`);
  }
  return fields;
}

function selectionOf(fields: Fields, at: string, bound: string | undefined): EntrySelection {
  return {
    filter: parseFilter(fields['filter'], `${at}.filter`),
    scopes: checkScopes(fields['scope'], `${at}.scope`, bound),
    eventTime: parseTimeRange(fields['eventTime'], `${at}.eventTime`),
    ingestedAt: parseTimeRange(fields['ingestedAt'], `${at}.ingestedAt`),
  };
}

function flag(fields: Fields, name: string, ifAbsent: boolean): boolean {
  const value = fields[name];
  if (value === undefined) return ifAbsent;
  if (typeof value === 'boolean') return value;
  throw badRequest(`query.${name} must be a boolean`, `query.${name}`, 'boolean');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
