/**
 * What is not the same in two states of one store, in id order. Only rows that records between the
 * two changed, and ids that only the older one has, are looked at closely: a row that the same
 * record changed last is the same in both.
 */
import type { Thread } from '../../base/thread.ts';
import { ROW_FLAG } from '../../instance/row.ts';
import type { State } from '../../state/state.ts';
import type { Instance } from '../api/instance.ts';
import type { Difference } from '../api/time-travel.ts';
import { instanceAt } from '../results.ts';
import { Pace } from './pace.ts';

/** Rows between two looks at the time. */
const ROWS_AT_ONCE = 1024;
/** Instances decoded between two looks at the time. */
const INSTANCES_AT_ONCE = 16;

/** Gives the thread back every few milliseconds. */
export async function* differences(
  before: State,
  after: State,
  thread: Thread,
): AsyncIterableIterator<Difference> {
  const [older, newer] = before.offset <= after.offset ? [before, after] : [after, before];
  const pace = new Pace(thread);
  const ids = await candidates(older, newer, pace);
  for (let i = 0; i < ids.length; i++) {
    if (i % INSTANCES_AT_ONCE === 0 && pace.isOver) await pace.turn();
    const found = differenceOf(ids[i] as string, before, after);
    if (found !== undefined) yield found;
  }
}

/** Ids that may be different, sorted by their UTF-8 bytes. */
async function candidates(older: State, newer: State, pace: Pace): Promise<string[]> {
  const found: Buffer[] = [];
  const add = (state: State, handle: number): void =>
    void found.push(Buffer.from(state.instances.idText(handle)));
  await eachRow(newer, pace, (handle) => {
    if (newer.instances.offset(handle) > older.offset) add(newer, handle);
  });
  await eachRow(older, pace, (handle) => {
    // A row keeps its handle for as long as it lives: where the newer one has another, it was purged.
    if (isDeleted(older, handle) || hasRow(newer, older.instances.idText(handle))) return;
    add(older, handle);
  });
  return (await sorted(found, pace)).map(String);
}

/** By bytes; short runs first, then merged, so that it can be interrupted. */
async function sorted(ids: Buffer[], pace: Pace): Promise<Buffer[]> {
  for (let at = 0; at < ids.length; at += ROWS_AT_ONCE) {
    if (pace.isOver) await pace.turn();
    const run = ids.slice(at, at + ROWS_AT_ONCE).sort((a, b) => Buffer.compare(a, b));
    for (const [i, id] of run.entries()) ids[at + i] = id;
  }
  let [from, to] = [ids, Array.from(ids)];
  for (let width = ROWS_AT_ONCE; width < ids.length; width *= 2) {
    for (let at = 0; at < ids.length; at += 2 * width) await merge(from, to, at, width, pace);
    [from, to] = [to, from];
  }
  return from;
}

/** The runs of `width` at `at` and behind it, as one. */
async function merge(
  from: readonly Buffer[],
  to: Buffer[],
  at: number,
  width: number,
  pace: Pace,
): Promise<void> {
  const middle = Math.min(at + width, from.length);
  const end = Math.min(middle + width, from.length);
  for (let left = at, right = middle, into = at; into < end; into++) {
    if (into % ROWS_AT_ONCE === 0 && pace.isOver) await pace.turn();
    const isLeft =
      right === end ||
      (left < middle && Buffer.compare(from[left] as Buffer, from[right] as Buffer) <= 0);
    to[into] = (isLeft ? from[left++] : from[right++]) as Buffer;
  }
}

async function eachRow(state: State, pace: Pace, visit: (handle: number) => void): Promise<void> {
  const { instances } = state;
  for (let handle = 0; handle < instances.rows.rows; handle++) {
    if (handle % ROWS_AT_ONCE === 0 && pace.isOver) await pace.turn();
    if (instances.isLive(handle)) visit(handle);
  }
}

function isDeleted({ instances }: State, handle: number): boolean {
  return (instances.flags(handle) & ROW_FLAG.deleted) !== 0;
}

function hasRow({ instances }: State, id: string): boolean {
  return instances.ids.get(id) >= 0;
}

function differenceOf(id: string, before: State, after: State): Difference | undefined {
  const [was, is] = [living(before, id), living(after, id)];
  if (was === undefined) return is && { kind: 'added', id, after: is };
  if (is === undefined) return { kind: 'removed', id, before: was };
  const paths = changedPaths(was, is);
  return paths.length === 0 ? undefined : { kind: 'changed', id, before: was, after: is, paths };
}

/** Deleted instances are no more. */
function living(state: State, id: string): Instance | undefined {
  const { instances, machines } = state;
  const handle = instances.ids.get(id);
  if (handle < 0 || isDeleted(state, handle)) return undefined;
  return instanceAt(state, handle, id, machines.at(instances.definition(handle)));
}

const FIELDS = ['machine', 'version', 'state', 'createdAt', 'lastEventId'] as const;

/** Not `offset` and `updatedAt`, which say that something happened, not what. @internal */
export function changedPaths(before: Instance, after: Instance): string[] {
  const paths: string[] = FIELDS.filter((field) => before[field] !== after[field]);
  addChanges(paths, 'context', before.context, after.context);
  return paths;
}

/** Values are nested within bounds. */
function addChanges(paths: string[], path: string, before: unknown, after: unknown): void {
  if (!isRecord(before) || !isRecord(after)) {
    if (!isSame(before, after)) paths.push(path);
    return;
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const name of names) {
    const isInBoth = Object.hasOwn(before, name) && Object.hasOwn(after, name);
    if (isInBoth) addChanges(paths, `${path}.${name}`, before[name], after[name]);
    else paths.push(`${path}.${name}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(before: unknown, after: unknown): boolean {
  if (Array.isArray(before) && Array.isArray(after))
    return before.length === after.length && before.every((one, i) => isSame(one, after[i]));
  if (!isRecord(before) || !isRecord(after)) return Object.is(before, after);
  const names = Object.keys(before);
  return (
    names.length === Object.keys(after).length &&
    names.every((name) => Object.hasOwn(after, name) && isSame(before[name], after[name]))
  );
}
