/** A Shell that keeps what is written, and a store for commands to look at. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { run } from '../../../src/cli/run.ts';
import type { Output, Shell } from '../../../src/cli/shell.ts';
import { openStore } from '../../../src/engine/open-store.ts';
import { defineMachine } from '../../../src/machine/define-machine.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface FakeShell extends Shell {
  readonly written: { out: string; err: string };
  readonly questions: string[];
}

export interface ShellTraits {
  readonly isTerminal?: boolean;
  readonly isColoured?: boolean;
  readonly columns?: number;
  readonly answer?: string;
  readonly isAbandoned?: () => boolean;
  readonly onInterrupt?: (run: () => void) => void;
}

export function fakeShell(traits: ShellTraits = {}): FakeShell {
  const written = { out: '', err: '' };
  const questions: string[] = [];
  const { isTerminal = false, isColoured = false, columns } = traits;
  const output = (name: 'out' | 'err'): Output => ({
    write: (text) => void (written[name] += text),
    isTerminal,
    columns,
    rows: undefined,
    isColoured,
  });
  return {
    written,
    questions,
    out: output('out'),
    err: output('err'),
    canAsk: traits.answer !== undefined,
    isAbandoned: traits.isAbandoned ?? (() => false),
    async ask(question) {
      questions.push(question);
      return traits.answer ?? '';
    },
    onInterrupt: traits.onInterrupt ?? (() => undefined),
  };
}

export async function pawl(args: readonly string[], shell: FakeShell = fakeShell()): Promise<Ran> {
  const code = await run(args, shell);
  return { code, ...shell.written };
}

export async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'pawl-cli-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** 2026-01-02 03:04:05.000Z, a second later with every look. */
export function steppingClock(): Clock {
  let now = Date.UTC(2026, 0, 2, 3, 4, 4);
  return { ...systemClock, now: () => (now += 1000) };
}

export const order = defineMachine({
  name: 'order',
  version: 3,
  states: ['created', 'paid', 'shipped'],
  initial: 'created',
  transitions: [
    { from: 'created', event: 'PAY', to: 'paid' },
    { from: 'paid', event: 'SHIP', to: 'shipped' },
  ],
  indexes: ['customer'],
});

/** When the sale behind offset 6 is said to have been. */
export const SALE_AT: number = Date.UTC(2026, 0, 3);

/**
 * Offsets: 1 define; 2 to 5 create o-1 to o-4; 6 PAY o-1; 7 SHIP o-1; 8 delete o-4; 9 to 11 a
 * transaction: PAY o-2, PAY o-3, its outcome. Closed cleanly.
 */
export async function sampleStore(directory: string): Promise<void> {
  const store = await openStore(directory, { clock: steppingClock(), segmentBytes: 4096 });
  const orders = await store.machine(order);
  for (const [i, customer] of ['ada', 'bob', 'cyd', 'dee'].entries()) {
    await orders.create({ id: `o-${i + 1}`, context: { customer, serial: 2n ** 60n + BigInt(i) } });
  }
  const options = {
    idempotencyKey: 'pay-1',
    eventId: 'e-1',
    actor: 'till',
    reason: 'sale',
    at: SALE_AT,
  };
  await orders.apply('o-1', 'PAY', { method: 'card' }, options);
  await orders.apply('o-1', 'SHIP');
  await orders.delete('o-4');
  await store.transaction(
    (tx) => {
      tx.machine(orders).apply('o-2', 'PAY');
      tx.machine(orders).apply('o-3', 'PAY');
      return { paid: 2 };
    },
    { idempotencyKey: 'both' },
  );
  await store.close();
}
