/** Random commands in bursts nobody awaits: every answer and the end equal those of a sequential run (D-2, GEN-1, INS-4). */
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { isStoreError, type Store, type Transaction } from 'pawl';
import { LAMP, type Open, withDoor } from './contract.ts';
import { type Answer, type Command, type Group, SequentialModel } from './sequential-model.ts';

const ids = fc.constantFrom('a', 'b', 'c', 'd');
const keys = fc.option(fc.constantFrom('k', 'l'), { nil: undefined, freq: 2 });
const payload = fc.dictionary(
  fc.constantFrom('key', 'n', 'x'),
  fc.constantFrom('iron', 1, null, 'tin'),
  { maxKeys: 2 },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      id: ids,
      machine: fc.constantFrom('door', 'lamp'),
      context: payload,
      key: keys,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('apply' as const),
      id: ids,
      event: fc.constantFrom('PUSH', 'PULL', 'LOCK', 'PRESS'),
      payload,
      expectedState: fc.option(fc.constantFrom('open', 'shut', 'on'), { nil: undefined, freq: 3 }),
      key: keys,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), id: ids, key: keys }) },
);
const group: fc.Arbitrary<Group> = fc.record({
  kind: fc.constantFrom('transaction', 'atomic', 'best_effort'),
  commands: fc.array(command, { minLength: 1, maxLength: 4 }),
});
const step = fc.oneof({ weight: 3, arbitrary: command }, { weight: 1, arbitrary: group });
const bursts = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 6,
});

const isGroup = (one: Command | Group): one is Group => 'commands' in one;

/** The fields the model knows. */
function told(result: unknown): Answer {
  const { id, state, from, to, context, offset, applied } = result as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries({ id, state, from, to, context, offset, applied }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

function refused(error: unknown): Answer {
  if (!isStoreError(error)) throw error;
  return { code: error.code, ...(error.index !== undefined && { index: error.index }) };
}

/** Notes the offsets of what was done, in the order in which callers learn of it. */
function send(store: Store, one: Command, acknowledged: number[]): Promise<Answer> {
  const idempotencyKey = one.key;
  const { instances } = store;
  const call = (): Promise<unknown> => {
    if (one.kind === 'create')
      return instances.create({
        machine: one.machine,
        id: one.id,
        context: one.context,
        idempotencyKey,
      });
    if (one.kind === 'delete') return instances.delete(one.id, { idempotencyKey });
    return instances.apply(one.id, one.event, one.payload, {
      expectedState: one.expectedState,
      idempotencyKey,
    });
  };
  return call().then((result) => {
    const answer = told(result);
    if (answer['applied'] === true) acknowledged.push(Number(answer['offset']));
    return answer;
  }, refused);
}

function operationOf(one: Command) {
  if (one.kind === 'create')
    return { op: 'create', machine: one.machine, id: one.id, context: one.context } as const;
  if (one.kind === 'delete') return { op: 'delete', id: one.id } as const;
  return {
    op: 'apply',
    id: one.id,
    event: one.event,
    payload: one.payload,
    expectedState: one.expectedState,
  } as const;
}

function perform(tx: Transaction, one: Command): unknown {
  if (one.kind === 'create') {
    const { machine, id, context } = one;
    return tx.instances.create({ machine, id, context });
  }
  if (one.kind === 'delete') return tx.instances.delete(one.id);
  return tx.instances.apply(one.id, one.event, one.payload, { expectedState: one.expectedState });
}

async function sendGroup(store: Store, { kind, commands }: Group): Promise<unknown> {
  try {
    if (kind === 'transaction') {
      const done = await store.transaction((tx) =>
        commands.map((one) => perform(tx, { ...one, key: undefined }) !== null),
      );
      return done.value.length;
    }
    const operations = commands.map(operationOf);
    if (kind === 'atomic') return (await store.batch(operations)).map(told);
    const results = await store.batch(operations, { mode: 'best_effort' });
    return results.map((one) => (one.ok ? told(one.value) : refused(one.error)));
  } catch (error) {
    return refused(error);
  }
}

/** A transaction answers with the value of its callback; here only how many calls it made. */
function expectedOf(model: SequentialModel, one: Command | Group): unknown {
  if (!isGroup(one)) return model.run(one);
  const answer = model.runGroup(one);
  return one.kind === 'transaction' && Array.isArray(answer) ? answer.length : answer;
}

function shown(model: SequentialModel): unknown {
  return [...model.instances]
    .filter(([, one]) => !one.isDeleted)
    .map(([id, { machine, state, context, offset }]) => ({ id, machine, state, context, offset }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function stored(store: Store): unknown {
  return Array.from(store.instances.iterate(), ({ id, machine, state, context, offset }) => ({
    id,
    machine,
    state,
    context,
    offset,
  }));
}

export function concurrencyCases(open: Open, runs: number): void {
  describe('concurrency', () => {
    test('D-2 bursts nobody awaits end as a sequential run does, answer by answer', async () => {
      const property = fc.asyncProperty(bursts, fc.boolean(), async (rounds, isAwaited) => {
        const store = await withDoor(open);
        await store.machines.put(LAMP);
        const model = new SequentialModel(store.offset);
        const sent: { answer: Promise<unknown>; expected: unknown }[] = [];
        const acknowledged: number[] = [];
        for (const round of rounds) {
          const before = stored(store);
          const offset = store.offset;
          for (const one of round) {
            const answer = isGroup(one) ? sendGroup(store, one) : send(store, one, acknowledged);
            sent.push({ answer, expected: structuredClone(expectedOf(model, one)) });
            expect([stored(store), store.offset]).toEqual([before, offset]);
          }
          if (isAwaited) await Promise.all(sent.map((one) => one.answer));
          else await Promise.race(sent.slice(-round.length).map((one) => one.answer));
        }
        for (const { answer, expected } of sent) expect(await answer).toEqual(expected);
        expect(acknowledged).toEqual(acknowledged.toSorted((a, b) => a - b));
        expect(stored(store)).toEqual(shown(model));
        expect(store.offset).toBe(model.offset);
        expect(store.instances.count()).toBe((shown(model) as unknown[]).length);
        for (const state of ['open', 'shut', 'gone', 'on', 'off']) {
          expect(store.instances.count({ state })).toBe(
            (shown(model) as { state: string }[]).filter((one) => one.state === state).length,
          );
        }
        await store.close();
      });
      await fc.assert(property, { numRuns: runs });
    });
  });
}
