/**
 * What the compiler must accept and refuse about machines. Nothing here runs: machine.test.ts
 * compiles it, and every line under a ts-expect-error must be an error.
 */
/* oxlint-disable typescript/no-unnecessary-type-assertion, typescript/no-unnecessary-type-parameters --
   `{} as ...` is how types are declared: inference starts there. Comparing types takes parameters. */
import {
  compileMachine,
  defineMachine,
  transition,
  validateDefinition,
  type ContextOf,
  type Data,
  type EventOf,
  type Machine,
  type MachineDefinition,
  type PayloadOf,
  type ShapeOf,
  type StateOf,
  type TransitionOutcome,
} from '../../src/machine/index.ts';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isSame = <_ extends true>(): void => undefined;

interface Order {
  customer: string;
  total: number;
}

const order = defineMachine({
  types: {} as {
    context: Order;
    events: {
      PAY: { method: 'card' | 'cash' };
      SHIP: undefined;
      NOTE: { text: string } | undefined;
    };
  },
  name: 'order',
  version: 1,
  states: ['created', 'paid', 'shipped', 'expired'],
  initial: 'created',
  transitions: [
    { from: 'created', event: 'PAY', to: 'paid' },
    { from: 'paid', event: 'SHIP', to: 'shipped', guard: 'ctx.total > 0' },
    { from: 'paid', event: 'NOTE', to: 'paid' },
    { from: ['created', 'paid'], event: 'EXPIRE', to: 'expired' },
  ],
  timeouts: [{ state: 'created', after: '30m', event: 'EXPIRE' }],
  indexes: ['customer', 'total'],
  meta: { colour: 'red' },
});

// ---- What is inferred -------------------------------------------------------------------------

isSame<Same<StateOf<typeof order>, 'created' | 'paid' | 'shipped' | 'expired'>>();
isSame<Same<EventOf<typeof order>, 'PAY' | 'SHIP' | 'NOTE' | 'EXPIRE'>>();
isSame<Same<ContextOf<typeof order>, Order>>();
isSame<Same<PayloadOf<ShapeOf<typeof order>, 'PAY'>, { method: 'card' | 'cash' }>>();
isSame<Same<PayloadOf<ShapeOf<typeof order>, 'EXPIRE'>, Data | undefined>>();

const plain: Readonly<MachineDefinition> = order;
const anyMachine: Machine = order;
void [plain, anyMachine];

// @ts-expect-error a machine is read-only
order.name = 'other';

// ---- Definitions ------------------------------------------------------------------------------

const base = { name: 'm', version: 1, states: ['a', 'b'], initial: 'a' } as const;
const rules = [{ from: 'a', event: 'GO', to: 'b' }] as const;

const untyped = defineMachine({ ...base, transitions: rules });
isSame<Same<StateOf<typeof untyped>, 'a' | 'b'>>();
isSame<Same<ContextOf<typeof untyped>, Data>>();

// @ts-expect-error initial is no state
defineMachine({ ...base, initial: 'c', transitions: rules });
defineMachine({
  ...base,
  transitions: [
    // @ts-expect-error from is no state
    { from: 'c', event: 'GO', to: 'b' },
    // @ts-expect-error one of several from is no state
    { from: ['a', 'c'], event: 'GO', to: 'b' },
    // @ts-expect-error to is no state
    { from: 'a', event: 'GO', to: 'c' },
    // @ts-expect-error to is missing
    { from: 'a', event: 'GO' },
    // @ts-expect-error a guard is text
    { from: 'a', event: 'GO', to: 'b', guard: () => true },
  ],
});
// @ts-expect-error transitions are missing
defineMachine({ ...base });

// ---- Timeouts ---------------------------------------------------------------------------------

defineMachine({
  ...base,
  transitions: rules,
  timeouts: [
    // @ts-expect-error the state is unknown
    { state: 'c', after: '1h', event: 'GO' },
    // @ts-expect-error the event is unknown
    { state: 'a', after: '1h', event: 'NO' },
  ],
});
defineMachine({
  types: {} as { events: { GO: { by: string } } },
  ...base,
  transitions: rules,
  // @ts-expect-error a timer has no payload to give
  timeouts: [{ state: 'a', after: '1h', event: 'GO' }],
});
defineMachine({
  types: {} as { events: { GO: { by: string } | undefined } },
  ...base,
  transitions: rules,
  timeouts: [{ state: 'a', after: 1000, event: 'GO' }],
});

// ---- Declared types ---------------------------------------------------------------------------

defineMachine({
  // @ts-expect-error a payload is merged into the context, so `total` must fit
  types: {} as { context: { total: number }; events: { GO: { total: string } } },
  ...base,
  transitions: rules,
});
defineMachine({
  // @ts-expect-error no transition takes STOP
  types: {} as { events: { STOP: { by: string } } },
  ...base,
  transitions: rules,
});
defineMachine({
  types: {} as { context: { total: number }; events: { GO: { total: 5; by: string } } },
  ...base,
  transitions: rules,
});

// ---- Transitions ------------------------------------------------------------------------------

const context: Order = { customer: 'ada', total: 5 };
const step: TransitionOutcome<ShapeOf<typeof order>> = transition(
  order,
  'created',
  context,
  'PAY',
  {
    method: 'card',
  },
);
if (step.outcome === 'allowed') isSame<Same<typeof step.context, Order>>();
if (step.outcome === 'no-transition')
  isSame<Same<(typeof step.permitted)[number], EventOf<typeof order>>>();

transition(order, 'paid', context, 'SHIP');
transition(order, 'paid', context, 'NOTE');
transition(order, 'paid', context, 'NOTE', { text: 'x' });
transition(order, 'paid', context, 'EXPIRE', { anything: 1 });
// @ts-expect-error an unknown state
transition(order, 'lost', context, 'PAY', { method: 'card' });
// @ts-expect-error an unknown event
transition(order, 'paid', context, 'REFUND');
// @ts-expect-error PAY asks for a payload
transition(order, 'created', context, 'PAY');
// @ts-expect-error the payload is another one
transition(order, 'created', context, 'PAY', { method: 'gold' });
// @ts-expect-error SHIP takes none
transition(order, 'paid', context, 'SHIP', { method: 'card' });
// @ts-expect-error the context is another one
transition(order, 'paid', { customer: 'ada' }, 'SHIP');

const definition: MachineDefinition = { ...base, transitions: rules };
transition(definition, 'a', {}, 'GO', { any: 'thing' });
transition(compileMachine(validateDefinition(definition)), 'a', {}, 'GO');
