/**
 * Applying gives the thread back: on a thread whose time passes only by applying records, no
 * callback of the store applies more than a slice allows, whoever waits gets a turn between, and
 * the order of answers does not change.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openStore, type Store } from 'pawl';
import type { Thread } from '../../../src/base/thread.ts';
import { LIMITS } from '../../../src/engine/limits.ts';
import { DOOR, settlingOrder } from './cases/contract.ts';
import { imageOf, pipelineOf, stateOf } from './store-state.ts';

const control = vi.hoisted(() => ({
  /** Records applied so far. */
  applied: (): number => 0,
  /** Milliseconds that applying a record takes. */
  costMs: 0,
  /** Most records one callback applied. */
  most: 0,
  turns: 0,
}));

vi.mock('../../../src/base/thread.ts', async (original) => {
  const { nodeThread } = await original<{ nodeThread: Thread }>();
  const measured =
    (run: () => void): (() => void) =>
    () => {
      const before = control.applied();
      run();
      control.most = Math.max(control.most, control.applied() - before);
    };
  const thread: Thread = {
    ...nodeThread,
    monotonicMs: () => control.applied() * control.costMs,
    afterMicrotasks: (run) => nodeThread.afterMicrotasks(measured(run)),
    nextTurn: (run) => {
      control.turns++;
      nodeThread.nextTurn(measured(run));
    },
  };
  return { nodeThread: thread };
});

afterEach(() => {
  control.applied = () => 0;
});

async function open(costMs: number): Promise<Store> {
  const store = await openStore(':memory:');
  await store.machines.put(DOOR);
  control.applied = () => store.offset;
  control.costMs = costMs;
  control.most = 0;
  control.turns = 0;
  return store;
}

/** Records a slice may apply: its time, and what passes until somebody looks. */
function sliceRecords(costMs: number): number {
  return LIMITS.sliceMs / costMs + LIMITS.sliceCheckMask + 1;
}

describe('slices', () => {
  test.each([0.01, 0.1, 1])(
    'D-5 no callback applies longer than a slice; a record takes %d ms',
    async (costMs) => {
      const store = await open(costMs);
      const count = 6000;
      const { order, note } = settlingOrder();
      let others = 0;
      let isOver = false;
      const other = (): void => {
        others++;
        if (!isOver) setImmediate(other);
      };
      setImmediate(other);
      const all = Array.from({ length: count }, (_, n) =>
        note(`${n}`, store.instances.create({ machine: 'door', id: `${n}` })),
      );
      const rests = note('taken', store.instances.create({ machine: 'door', id: '0' }));
      await Promise.all(all);
      await rests;
      isOver = true;
      expect(control.most).toBeLessThanOrEqual(sliceRecords(costMs));
      // Others had their turn at least once for every two slices.
      expect(others).toBeGreaterThanOrEqual(count / sliceRecords(costMs) / 2 - 1);
      expect(order.filter((name) => name !== 'taken')).toEqual(
        Array.from({ length: count }, (_, n) => `${n}`),
      );
      expect([store.offset, store.instances.count()]).toEqual([count + 1, count]);
      await store.close();
    },
  );

  test('D-5 D-2 what is decided between slices rests on what is applied and on what waits', async () => {
    const store = await open(1);
    const sent: Promise<unknown>[] = [];
    for (let n = 0; n < 500; n++)
      sent.push(store.instances.create({ machine: 'door', id: `${n}`, idempotencyKey: `${n}` }));
    const seen = new Set<number>();
    for (let turn = 0; turn < 60; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      const { offset } = store;
      seen.add(offset);
      // Exactly those applied are shown, in the middle of a frame too.
      expect(store.instances.count()).toBe(Math.min(500, offset - 1));
      const id = `${(turn * 37) % 500}`;
      sent.push(store.instances.apply(id, 'PUSH', { turn }));
      sent.push(
        store.instances
          .create({ machine: 'door', id, idempotencyKey: id })
          .then((created) => expect(created).toMatchObject({ id, applied: false, state: 'open' })),
      );
      if (store.offset > 501) break;
    }
    await Promise.all(sent);
    expect(seen.size).toBeGreaterThan(5);
    expect(pipelineOf(store).overlay.size).toBe(0);
    expect(imageOf(stateOf(store))).toMatchObject({ total: 500, keys: 500 });
    await store.close();
  });
});
