/**
 * The order service with a bug, as it is often written: the customer is told before the commit.
 * It passes every test that does not crash.
 */
import type { Store } from 'pawl';
import { MESSAGE, messageId, ORDER } from './machines.ts';
import { openService, type OrderService, type Outside } from './service.ts';

export async function openHastyService(store: Store, outside: Outside): Promise<OrderService> {
  const service = await openService(store, outside);
  const orders = await store.machine(ORDER);
  const messages = await store.machine(MESSAGE);
  return {
    ...service,
    async place(order, customer, total) {
      const committed = store.transaction(
        (tx) => {
          tx.machine(orders).create({ id: order, context: { customer, total } });
          tx.machine(messages).create({ id: messageId(order), context: { order, customer } });
        },
        { idempotencyKey: `place-${order}` },
      );
      // The bug: nothing is on the disk yet.
      outside.confirm(order);
      await committed;
    },
  };
}
