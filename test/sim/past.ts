/**
 * A store as it was, beside the reference model as it was: views at an offset and at a time, and what
 * is not the same at two moments. What was not kept may be refused, and nothing else.
 */
import type { Instance } from '../../src/engine/api/instance.ts';
import type { Store } from '../../src/engine/api/store.ts';
import type { Moment, View } from '../../src/engine/api/time-travel.ts';
import { isStoreError } from '../../src/base/errors.ts';
import { shortened, textOf } from './commands.ts';
import type { ModelState, Row } from './model-state.ts';
import { checkAnswer, type Question } from './questions.ts';

export type History = ReadonlyMap<number, ModelState>;

/** What is kept and since when, to judge a refusal by. */
interface Kept {
  readonly retention: { readonly oldestOffset: number };
  readonly snapshots: { readonly count: number };
}

/** The model at a moment, of the commits that reads could see: `present` is the last of them. */
export function modelAt(history: History, moment: Moment, present: number): ModelState {
  let found: ModelState | undefined;
  for (const state of inOrder(history)) {
    if (state.offset > present) break;
    if ('offset' in moment ? state.offset > moment.offset : state.time > moment.time) break;
    found = state;
  }
  if (found === undefined) throw new Error('the model has no beginning');
  return found;
}

function inOrder(history: History): ModelState[] {
  return [...history.values()].toSorted((a, b) => a.offset - b.offset);
}

export interface PastOptions {
  readonly store: Store;
  readonly history: History;
  /** Nothing the log ever held is dropped for good. */
  readonly isArchived: boolean;
}

/** Throws when the store shows another past than the model; false: that was not kept. */
export async function checkPast(
  { store, history, isArchived }: PastOptions,
  moment: Moment,
  question: Question,
): Promise<boolean> {
  const expected = modelAt(history, moment, store.offset);
  let view: View;
  try {
    view = await store.asOf(moment);
  } catch (error) {
    if (!isStoreError(error, 'OFFSET_TOO_OLD')) throw error;
    checkTooOld(error.details, { store, history, isArchived }, expected, moment);
    return false;
  }
  try {
    checkView(view, expected, moment);
    checkAnswer(view.instances, question, expected);
  } finally {
    await view.close();
  }
  return true;
}

/** Refused only when what it asks for came before everything that is kept. */
function checkTooOld(
  { oldest }: { oldest: number },
  { store, history, isArchived }: PastOptions,
  expected: ModelState,
  moment: Moment,
): void {
  const { retention, snapshots } = store.stats() as unknown as Kept;
  const what = `asOf(${textOf(moment)}) is OFFSET_TOO_OLD, the oldest being ${oldest}`;
  if (isArchived) throw new Error(`${what}, but everything is archived`);
  if (retention.oldestOffset <= 1 || snapshots.count === 0)
    throw new Error(`${what}, but the log begins with record ${retention.oldestOffset}`);
  const first = history.get(oldest);
  if (first === undefined) throw new Error(`${what}: no commit ends there`);
  const isBefore = 'offset' in moment ? expected.offset < oldest : first.maxTime > moment.time;
  if (!isBefore) throw new Error(`${what}, but that is record ${expected.offset}`);
}

function checkView(view: View, expected: ModelState, moment: Moment): void {
  const { instances } = view;
  const found: Instance[] = [...instances.iterate()];
  for (const row of expected.instances.values()) {
    const gone = row.deleted ? instances.get(row.id, { deleted: true }) : undefined;
    if (gone !== undefined) found.push(gone);
  }
  for (const id of expected.gone.keys())
    if (!expected.instances.has(id) && instances.get(id, { deleted: true }) !== undefined)
      throw new Error(`asOf(${textOf(moment)}) shows '${id}', which was purged`);
  const text = (rows: Iterable<Instance | Row>): string[] =>
    [...rows].map((row) => textOf(row)).sort();
  const [is, toBe] = [text(found), text(expected.instances.values())];
  const facts = [view.offset, instances.count()].join();
  const living = [...expected.instances.values()].filter((row) => !row.deleted).length;
  if (facts !== [expected.offset, living].join() || is.join() !== toBe.join())
    throw new Error(
      `asOf(${textOf(moment)}) has offset, count ${facts} to be ${expected.offset},${living}\n  more: ${without(is, toBe)}\n  less: ${without(toBe, is)}`,
    );
}

function without(some: readonly string[], others: readonly string[]): string {
  return shortened(some.filter((one) => !others.includes(one)).join(' '));
}

/** The same for what is not the same at two moments. */
export async function checkDifferences(
  options: PastOptions,
  before: Moment,
  after: Moment,
): Promise<boolean> {
  const { store, history } = options;
  const [was, is] = [before, after].map((one) => modelAt(history, one, store.offset));
  const expected = differencesOf(was as ModelState, is as ModelState);
  const found: string[] = [];
  try {
    for await (const { kind, id } of store.diff(before, after)) found.push(`${kind} ${id}`);
  } catch (error) {
    if (!isStoreError(error, 'OFFSET_TOO_OLD')) throw error;
    return false;
  }
  if (textOf(found) !== textOf(expected))
    throw new Error(
      `diff(${textOf(before)}, ${textOf(after)}) gave ${shortened(textOf(found))}\n  to be ${shortened(textOf(expected))}`,
    );
  return true;
}

function differencesOf(was: ModelState, is: ModelState): string[] {
  const living = (state: ModelState, id: string): Row | undefined => {
    const row = state.instances.get(id);
    return row === undefined || row.deleted ? undefined : row;
  };
  const ids = [...new Set([...was.instances.keys(), ...is.instances.keys()])];
  ids.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return ids.flatMap((id) => {
    const [before, after] = [living(was, id), living(is, id)];
    if (before === undefined) return after === undefined ? [] : [`added ${id}`];
    if (after === undefined) return [`removed ${id}`];
    return shown(before) === shown(after) ? [] : [`changed ${id}`];
  });
}

/** Offset and update time say that something happened, not what. */
function shown(row: Row): string {
  return textOf({ ...row, offset: 0, updatedAt: 0 });
}
