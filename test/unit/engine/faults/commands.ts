/** The commands of the fault tests: doors are made, pushed, pulled and deleted, alone and in groups, with keys and without. */
import type { MachineDefinition } from 'pawl';

export const DOOR: MachineDefinition = {
  name: 'door',
  version: 1,
  states: ['open', 'shut'],
  initial: 'open',
  transitions: [
    { from: ['open', 'shut'], event: 'PUSH', to: 'shut' },
    { from: ['open', 'shut'], event: 'PULL', to: 'open' },
  ],
};

type Context = Record<string, unknown>;
export type Change =
  | { readonly op: 'create'; readonly id: string; readonly context: Context }
  | { readonly op: 'apply'; readonly id: string; readonly event: string; readonly payload: Context }
  | { readonly op: 'delete'; readonly id: string };

export interface Command {
  readonly as: 'put' | 'single' | 'batch' | 'transaction';
  readonly changes: readonly Change[];
  readonly key?: string;
  readonly durable?: boolean;
}

export const PUT: Command = { as: 'put', changes: [] };
export const create = (id: string, more: Partial<Command> = {}): Command => ({
  as: 'single',
  changes: [{ op: 'create', id, context: { made: id } }],
  ...more,
});
export const push = (id: string, n: number, more: Partial<Command> = {}): Command => ({
  as: 'single',
  changes: [{ op: 'apply', id, event: n % 2 === 0 ? 'PULL' : 'PUSH', payload: { n } }],
  ...more,
});
export const large = (id: string, n: number, bytes: number): Command => ({
  as: 'single',
  changes: [{ op: 'apply', id, event: 'PUSH', payload: { n, pad: 'x'.repeat(bytes + n) } }],
});
export const remove = (id: string): Command => ({ as: 'single', changes: [{ op: 'delete', id }] });

export const KEYED_BATCH: Command = {
  as: 'batch',
  key: 'group',
  changes: [
    { op: 'create', id: 'c', context: {} },
    { op: 'apply', id: 'a', event: 'PUSH', payload: { from: 'batch' } },
  ],
};
export const TRANSACTION: Command = {
  as: 'transaction',
  changes: [
    { op: 'apply', id: 'b', event: 'PULL', payload: { from: 'transaction' } },
    { op: 'create', id: 'd', context: { n: 1 } },
  ],
};
export const KEYED: readonly Command[] = [
  create('a', { key: 'make-a' }),
  push('b', 5, { key: 'push-b' }),
  KEYED_BATCH,
  { ...TRANSACTION, key: 'pair', changes: TRANSACTION.changes.slice(0, 1) },
];
