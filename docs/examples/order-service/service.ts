/**
 * A small order service with an outbox. An order and the message about it are one transaction; the
 * message is sent afterwards, by whoever finds it waiting, and marked when it went out. A crash
 * between sending and marking sends it twice, never not at all.
 */
import type { Store } from 'pawl';
import { MESSAGE, messageId, ORDER } from './machines.ts';

/** What the service tells the world. */
export interface Outside {
  /** The customer sees "thank you for your order". */
  confirm(order: string): void;
  /** The mail about an order goes out. */
  mail(order: string): void;
}

export interface OrderService {
  /** Takes an order; may be called again with the same one. Resolves when the customer was told. */
  place(order: string, customer: string, total: number): Promise<void>;
  /** Sends what waits in the outbox; gives the number of messages. */
  deliver(): Promise<number>;
}

export async function openService(store: Store, outside: Outside): Promise<OrderService> {
  const orders = await store.machine(ORDER);
  const messages = await store.machine(MESSAGE);
  return {
    async place(order, customer, total) {
      await store.transaction(
        (tx) => {
          tx.machine(orders).create({ id: order, context: { customer, total } });
          tx.machine(messages).create({ id: messageId(order), context: { order, customer } });
        },
        { idempotencyKey: `place-${order}` },
      );
      outside.confirm(order);
    },
    async deliver() {
      const waiting = [...messages.iterate({ state: 'waiting' })];
      for (const { id, context } of waiting) {
        outside.mail(context.order);
        await messages.apply(id, 'SENT');
      }
      return waiting.length;
    },
  };
}
