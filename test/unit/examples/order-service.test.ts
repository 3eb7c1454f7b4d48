/** The crash test of the order service: the right one passes, each wrong one is caught. */
import { expect, it } from 'vitest';
import type { Store } from 'pawl';
import { checkCrashes } from 'pawl/testing';
import { crashService } from '../../../docs/examples/order-service/crash-test.ts';
import { openHastyService } from '../../../docs/examples/order-service/hasty-service.ts';
import {
  openService,
  type OrderService,
  type Outside,
} from '../../../docs/examples/order-service/service.ts';
import { MESSAGE, messageId, ORDER } from '../../../docs/examples/order-service/machines.ts';

it('the order service keeps its promises, whatever crashes', async () => {
  expect((await crashService(openService, 600, 11)).runs).toBe(600);
});

it('one that tells the customer before the commit is caught', async () => {
  await expect(crashService(openHastyService, 600, 1)).rejects.toThrow(
    /a crash broke a promise: order-\d was confirmed, and is lost/,
  );
});

it('one that writes order and message apart is caught', async () => {
  const open = async (store: Store, outside: Outside): Promise<OrderService> => {
    const service = await openService(store, outside);
    const orders = await store.machine(ORDER);
    const messages = await store.machine(MESSAGE);
    return {
      ...service,
      async place(order, customer, total) {
        const options = { idempotencyKey: `place-${order}` };
        await orders.create({ id: order, context: { customer, total }, ...options });
        const context = { order, customer };
        await messages.create({ id: messageId(order), context, ...options });
        outside.confirm(order);
      },
    };
  };
  await expect(crashService(open, 600, 1)).rejects.toThrow('has no message');
});

it('one that marks a message as sent before it sends it is caught', async () => {
  const open = async (store: Store, outside: Outside): Promise<OrderService> => {
    const service = await openService(store, outside);
    const messages = await store.machine(MESSAGE);
    return {
      ...service,
      async deliver() {
        const waiting = [...messages.iterate({ state: 'waiting' })];
        for (const { id, context } of waiting) {
          await messages.apply(id, 'SENT');
          outside.mail(context.order);
        }
        return waiting.length;
      },
    };
  };
  await expect(crashService(open, 600, 1)).rejects.toThrow('is marked sent, and was not');
});

it('the right service on a store that does not sync is caught as well', async () => {
  const check = checkCrashes<string>({
    async workload({ open, tell }) {
      const store = await open({ durability: 'os' });
      const confirm = (order: string): void => tell(order);
      const service = await openService(store, { confirm, mail: () => undefined });
      await service.place('o', 'ada', 1);
    },
    async oracle({ open, told }) {
      const orders = await (await open()).machine(ORDER);
      for (const order of told) if (orders.get(order) === undefined) throw new Error('lost');
    },
  });
  await expect(check).rejects.toThrow('lost');
});
