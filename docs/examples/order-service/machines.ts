/** The machines of a small order service: an order, and a message to a customer that waits to be sent. */
import { defineMachine } from 'pawl';

export const ORDER = defineMachine({
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- context and events are inferred from it
  types: {} as { context: { customer: string; total: number }; events: { PAY: undefined } },
  name: 'order',
  version: 1,
  states: ['placed', 'paid'],
  initial: 'placed',
  transitions: [{ from: 'placed', event: 'PAY', to: 'paid' }],
});

/** The outbox: one message for each order, created in the same transaction as the order. */
export const MESSAGE = defineMachine({
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- context and events are inferred from it
  types: {} as { context: { order: string; customer: string }; events: { SENT: undefined } },
  name: 'message',
  version: 1,
  states: ['waiting', 'sent'],
  initial: 'waiting',
  transitions: [{ from: 'waiting', event: 'SENT', to: 'sent' }],
});

export function messageId(order: string): string {
  return `message-${order}`;
}
