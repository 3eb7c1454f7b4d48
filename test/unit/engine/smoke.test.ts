import { expect, test } from 'vitest';
import { defineMachine, openStore, isStoreError } from 'pawl';

const order = defineMachine({
  types: {} as { context: { customer: string; total: number }; events: { PAY: { method: 'card' | 'cash' }; SHIP: undefined } },
  name: 'order', version: 1,
  states: ['created', 'paid', 'shipped', 'expired'],
  initial: 'created',
  transitions: [
    { from: 'created', event: 'PAY', to: 'paid' },
    { from: 'paid', event: 'SHIP', to: 'shipped', guard: 'ctx.total > 0' },
    { from: ['created', 'paid'], event: 'EXPIRE', to: 'expired' },
  ],
  timeouts: [{ state: 'created', after: '30m', event: 'EXPIRE' }],
  indexes: ['customer', 'total'],
});

test('the first screen works in memory', async () => {
  const store = await openStore(':memory:');
  const orders = await store.machine(order);
  const created = await orders.create({ id: 'order-1', context: { customer: 'ada', total: 99 } });
  expect(created.applied).toBe(true);
  const paid = await orders.apply('order-1', 'PAY', { method: 'card' }, { idempotencyKey: 'pay-1', expectedState: 'created' });
  expect(paid).toMatchObject({ from: 'created', to: 'paid', applied: true, context: { customer: 'ada', total: 99, method: 'card' } });
  expect(orders.get('order-1')?.state).toBe('paid');
  expect(orders.can('order-1', 'SHIP')).toBe(true);
  expect(orders.explain('order-1', 'PAY')).toEqual({ outcome: 'no-transition', state: 'paid', permitted: ['SHIP', 'EXPIRE'] });
  expect([...orders.iterate({ state: 'paid' })].map((o) => o.id)).toEqual(['order-1']);
  expect(orders.count({ state: 'paid' })).toBe(1);
  const again = await orders.apply('order-1', 'PAY', { method: 'card' }, { idempotencyKey: 'pay-1' });
  expect(again).toMatchObject({ applied: false, offset: paid.offset, from: 'created', to: 'paid' });
  expect(again.context).toEqual({ customer: 'ada', total: 99, method: 'card' });
  await expect(orders.apply('order-1', 'PAY', { method: 'cash' }, { idempotencyKey: 'pay-1' })).rejects.toMatchObject({ code: 'CONFLICT' });
  const done = await store.transaction((tx) => {
    const t = tx.machine(orders).apply('order-1', 'SHIP');
    expect(tx.instances.get('order-1')?.state).toBe('shipped');
    return t.to;
  });
  expect(done.value).toBe('shipped');
  expect(orders.get('order-1')?.state).toBe('shipped');
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => orders.create({ context: { customer: `c${i}`, total: i } })));
  expect(orders.count()).toBe(101);
  const page = orders.find({ limit: 10, total: true });
  expect(page.items.length).toBe(10);
  expect(page.total).toBe(101);
  const p2 = orders.find({ limit: 100, cursor: page.cursor });
  expect(p2.items.length).toBe(91);
  expect(all.length).toBe(100);
  const del = await orders.delete('order-1');
  const del2 = await orders.delete('order-1');
  expect(del2).toEqual({ id: 'order-1', offset: del.offset, applied: false });
  const results = await store.batch([{ op: 'create', machine: 'order', id: 'b1', context: { customer: 'x', total: 1 } }, { op: 'apply', id: 'b1', event: 'PAY', payload: { method: 'cash' } }]);
  expect(results[1].to).toBe('paid');
  await expect(store.batch([{ op: 'apply', id: 'b1', event: 'SHIP' }, { op: 'apply', id: 'b1', event: 'SHIP' }])).rejects.toMatchObject({ code: 'INVALID_TRANSITION', index: 1 });
  expect(orders.get('b1')?.state).toBe('paid');
  await store.close();
  expect(() => orders.get('b1')).toThrow();
  await orders.apply('b1', 'SHIP').catch((e) => expect(isStoreError(e, 'STORE_CLOSED')).toBe(true));
});
