/**
 * Random histories of a store: every kind of write, in bursts nobody awaits one by one, right and
 * wrong ones, under a clock that also goes back. What happens is drawn from `Choices`, so that one
 * driver serves long seeded runs and short ones that fast-check can shrink.
 */
import { isStoreError, type ErrorCode, type MachineDefinition, type Store } from 'pawl';
import type { Instance, StoreOptions, Transaction } from 'pawl';
import type { Choices } from '../../sim/choices.ts';
import { commonPayload } from '../../sim/payloads.ts';
import type { ManualClock } from './cases/contract.ts';

/** Short enough to end within a history, and to make room by purges. */
export const RETENTION: StoreOptions = {
  idempotency: { retentionMs: 400, maxKeys: 40 },
  deletedRetentionMs: 250,
};

const MACHINES = ['order', 'лампа', '__proto__'] as const;
const STATES = ['new', 'busy', 'done'];
const EVENTS = ['GO', 'BACK', 'END', 'NOPE'];
/** What a command of a history may end with; anything else is a bug. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'BAD_REQUEST',
  'CONFLICT',
  'GUARD_FAILED',
  'INSTANCE_EXISTS',
  'INSTANCE_NOT_FOUND',
  'INVALID_TRANSITION',
  'MACHINE_NOT_FOUND',
  'MACHINE_VERSION_EXISTS',
]);

function definition(name: string, version: number, indexes: number): MachineDefinition {
  return {
    name,
    version,
    states: version === 2 ? [...STATES, 'extra'] : STATES,
    initial: version === 3 ? 'busy' : 'new',
    transitions: [
      { from: ['new', 'busy'], event: 'GO', to: 'busy' },
      { from: 'busy', event: 'BACK', to: 'new', guard: '!ctx.locked' },
      { from: ['new', 'busy'], event: 'END', to: 'done', guard: 'ctx.n >= 3' },
      { from: 'done', event: 'GO', to: 'new' },
    ],
    ...(indexes > 0 && { indexes: ['n', 'deep.a'].slice(0, indexes) }),
  };
}

export class History {
  /** How each command ended: 'done' or its code. */
  readonly outcomes: Map<string, number> = new Map();
  private readonly choose: Choices;
  private readonly clock: ManualClock;
  /** Commands of bursts that were not awaited yet. */
  private sent: Promise<void>[] = [];

  constructor(choose: Choices, clock: ManualClock) {
    this.choose = choose;
    this.clock = clock;
  }

  /** So many commands; when it returns nothing waits. */
  async run(store: Store, commands: number): Promise<void> {
    for (let i = 0; i < commands; i++) {
      this.send(store);
      if (this.choose(4) > 0) continue;
      await this.settle();
      this.passTime();
    }
    await this.settle();
    await store.flush();
  }

  private async settle(): Promise<void> {
    await Promise.all(this.sent.splice(0));
  }

  private passTime(): void {
    const jump = this.choose(40);
    this.clock.time += jump === 39 ? -150 : jump;
  }

  private send(store: Store): void {
    const promise = this.command(store);
    this.sent.push(
      promise.then(
        () => this.note('done'),
        (error: unknown) => {
          if (error === THROWN) this.note('thrown');
          else if (isStoreError(error) && REFUSALS.has(error.code)) this.note(error.code);
          else throw error;
        },
      ),
    );
  }

  private note(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  private command(store: Store): Promise<unknown> {
    const { choose } = this;
    const kind = choose(25);
    if (kind < 10) return this.apply(store);
    if (kind < 15) return this.create(store);
    if (kind < 17) return store.instances.delete(this.id(), this.options());
    if (kind < 19) return this.batch(store);
    if (kind < 22) return this.transaction(store);
    if (kind === 24) return this.migrate(store);
    const name = this.pick(MACHINES);
    const version = 1 + choose(3);
    if (kind === 22) return store.machines.put(definition(name, version, choose(3)));
    return choose(3) > 0
      ? store.machines.put({ ...definition(name, 1, 0), version })
      : store.machines.remove(name, version);
  }

  private apply(store: Store): Promise<unknown> {
    const isExpecting = this.choose(8) === 7;
    return store.instances.apply(this.id(), this.pick(EVENTS), this.payload(), {
      ...this.options(),
      ...(this.choose(5) === 4 && { eventId: `é-${this.choose(99)}` }),
      ...(isExpecting && { expectedState: this.pick(STATES) }),
    });
  }

  private create(store: Store): Promise<unknown> {
    const isNamed = this.choose(6) > 0;
    return store.instances.create({
      machine: this.pick(MACHINES),
      ...(this.choose(3) === 2 && { version: 1 + this.choose(3) }),
      ...(isNamed && { id: this.id() }),
      context: this.payload(),
      ...this.options(),
    });
  }

  /** From any version to any; some maps keep little, or refuse some instances. */
  private migrate(store: Store): Promise<unknown> {
    const kind = this.choose(4);
    const map = ({ id, state, context }: Instance): { state: string; context: object } => {
      if (kind === 3 && id.length % 2 === 0) throw THROWN;
      return { state: kind === 1 ? 'busy' : state, context: { n: context['n'] ?? kind } };
    };
    return store.instances.migrate({
      machine: this.pick(MACHINES),
      fromVersion: 1 + this.choose(3),
      toVersion: 1 + this.choose(3),
      ...(kind > 0 && { map }),
      dryRun: this.choose(8) === 7,
    });
  }

  private batch(store: Store): Promise<unknown> {
    const operations = Array.from({ length: 1 + this.choose(4) }, () => this.operation());
    const key = this.key();
    return this.choose(2) === 0
      ? store.batch(operations, key)
      : store.batch(operations, { ...key, mode: 'best_effort' });
  }

  private operation() {
    const kind = this.choose(4);
    const key = this.key();
    if (kind === 0)
      return { op: 'create', machine: this.pick(MACHINES), id: this.id(), ...key } as const;
    if (kind === 1) return { op: 'delete', id: this.id(), ...key } as const;
    const [id, event, payload] = [this.id(), this.pick(EVENTS), this.payload()];
    return { op: 'apply', id, event, payload, ...key } as const;
  }

  /** Refusals inside are caught or not; some callbacks throw in the end whatever they did. */
  private transaction(store: Store): Promise<unknown> {
    const steps = 1 + this.choose(5);
    const ending = this.choose(5);
    return store.transaction((tx) => {
      for (let i = 0; i < steps; i++) this.step(tx, ending < 3);
      if (ending === 4) throw THROWN;
      return { steps, ending };
    }, this.key());
  }

  private step(tx: Transaction, isForgiving: boolean): void {
    try {
      const kind = this.choose(4);
      const id = this.id();
      if (kind === 0)
        tx.instances.create({ machine: this.pick(MACHINES), id, context: this.payload() });
      else if (kind === 1) tx.instances.delete(id);
      else tx.instances.apply(id, this.pick(EVENTS), this.payload());
    } catch (error) {
      if (!isForgiving) throw error;
    }
  }

  private options(): object {
    const isTold = this.choose(6) === 5;
    return {
      ...this.key(),
      ...(isTold && { actor: `actor ${this.choose(9)}`, reason: 'because', correlationId: 'c' }),
      ...(this.choose(10) === 9 && { at: this.clock.time - 5000 + this.choose(10_000) }),
    };
  }

  private key(): { idempotencyKey?: string } {
    return this.choose(3) === 2 ? { idempotencyKey: `k${this.choose(30)}` } : {};
  }

  private id(): string {
    return this.pick(['a', 'a/b', '..', 'ключ', 'z'.repeat(300)]) + String(this.choose(4));
  }

  private payload(): object {
    const n = this.choose(7);
    const kind = this.choose(9);
    if (kind === 6)
      return Object.fromEntries(Array.from({ length: n * 3 }, (_, i) => [`f${i}`, i]));
    if (kind === 8) return { [`rare-${this.choose(50)}`]: n };
    return commonPayload(Math.min(kind, 6), n);
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.choose(from.length)] as T;
  }
}

const THROWN = new Error('a callback changed its mind');
