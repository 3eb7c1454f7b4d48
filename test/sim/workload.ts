/**
 * Draws the commands of a simulated run: few ids, machines, keys and states, so that they meet;
 * right and wrong ones; names nobody would choose. What is drawn depends on the choices alone, and
 * on rows that exist, so that most events find somebody who takes them.
 */
import { type Choices, pick } from './choices.ts';
import type {
  ApplyOperation,
  Command,
  CreateOperation,
  Definition,
  Fields,
  Operation,
} from './commands.ts';
import type { ModelState } from './model-state.ts';
import { commonPayload } from './payloads.ts';

const MACHINES = ['order', 'лампа', '__proto__'] as const;
const STATES = ['new', 'busy', 'done'];
const EVENTS = ['GO', 'GO', 'GO', 'BACK', 'END', 'NOPE', '__proto__'];
const IDS = ['a', 'a/b', 'ключ', '__proto__', 'z'.repeat(90)];
const BULK = 'z0'.repeat(500);
const KEYS = 8;

export interface WorkloadOptions {
  /** Many ids and keys make a store that grows; few make one where commands meet. */
  readonly ids: number;
}

export class Workload {
  private readonly choose: Choices;
  private readonly options: WorkloadOptions;

  constructor(choose: Choices, options: WorkloadOptions = { ids: 12 }) {
    this.choose = choose;
    this.options = options;
  }

  /** The next command; `now` is the clock, `state` what the store will hold. */
  next(now: number, state: ModelState): Command {
    const { choose } = this;
    if (state.machines.size === 0 || choose(24) === 23) return this.registering();
    if (choose(14) === 13) return this.migrating(state);
    const kind = choose(20);
    const common = {
      ...(choose(5) === 4 && { durable: true }),
      ...(choose(12) === 11 && { at: now - 5000 + choose(10_000) }),
    };
    if (kind < 13)
      return { kind: 'one', ...common, operation: this.operation(state, kind < 4, true) };
    const operations = Array.from({ length: choose(5) }, () =>
      this.operation(state, choose(4) === 3, kind === 15),
    );
    const group = { ...common, ...this.key(), operations };
    if (kind < 16) return { kind: 'batch', isBestEffort: choose(2) === 1, ...group };
    const [isForgiving, throws] = [choose(3) > 0, choose(5) === 4];
    return { kind: 'transaction', isForgiving, throws, value: { got: choose(9) }, ...group };
  }

  private registering(): Command {
    const { choose } = this;
    const name = pick(choose, MACHINES);
    const version = 1 + choose(3);
    if (choose(4) === 3) return { kind: 'remove', name, version };
    return { kind: 'put', definition: this.definition(name, version) };
  }

  /** Mostly from a version that somebody has to one that is there. */
  private migrating(state: ModelState): Command {
    const { choose } = this;
    const row = [...state.instances.values()][choose(state.instances.size || 1)];
    const isMeant = row !== undefined && choose(5) > 0;
    const machine = isMeant ? row.machine : pick(choose, MACHINES);
    const offered = state.offered(machine).map(({ definition }) => definition.version);
    const fromVersion = isMeant ? row.version : 1 + choose(3);
    const others = offered.filter((version) => version !== fromVersion);
    // There is to be one, then.
    if (isMeant && others.length === 0)
      return { kind: 'put', definition: this.definition(machine, (fromVersion % 3) + 1) };
    const toVersion = others.length > 0 && isMeant ? pick(choose, others) : 1 + choose(3);
    const plan = { machine, fromVersion, toVersion, isDry: choose(4) === 3 };
    if (choose(2) === 0) return { kind: 'migrate', ...plan };
    const map = {
      ...(choose(2) === 1 && { state: pick(choose, [...STATES, 'extra', 'nowhere']) }),
      ...(choose(3) === 2 && { refusesN: choose(4) }),
      adds: choose(2) === 1 ? { moved: fromVersion } : { n: choose(7), deep: { a: [fromVersion] } },
    };
    return { kind: 'migrate', ...plan, map };
  }

  private definition(name: string, version: number): Definition {
    const { choose } = this;
    // Now and then other content under a version that was put.
    const isOther = choose(9) === 8;
    return {
      name,
      version,
      states: version === 2 ? [...STATES, 'extra'] : STATES,
      initial: version === 3 && !isOther ? 'busy' : 'new',
      transitions: [
        { from: ['new', 'busy'], event: 'GO', to: 'busy' },
        { from: ['busy'], event: 'BACK', to: 'new', guard: 'ctx.locked != true' },
        { from: ['new', 'busy'], event: 'END', to: 'done', guard: 'ctx.n >= 3' },
        { from: ['done'], event: 'GO', to: 'new' },
        { from: STATES, event: '__proto__', to: 'busy' },
      ],
      indexes: ['n', 'deep.a'].slice(0, choose(3)),
    };
  }

  private operation(state: ModelState, isCreate: boolean, hasKey: boolean): Operation {
    const { choose } = this;
    const own = { ...(hasKey && this.key()), ...(choose(40) === 39 && { isBad: true }) };
    if (isCreate && hasKey && choose(4) === 3) return this.again(state) ?? this.create();
    if (isCreate || state.instances.size === 0) return { ...this.create(), ...own };
    const id = this.existing(state);
    if (choose(7) === 6) return { op: 'delete', id, ...own };
    return { ...this.apply(id, state), ...own };
  }

  private create(): CreateOperation {
    const { choose } = this;
    return {
      op: 'create',
      machine: pick(choose, MACHINES),
      ...(choose(4) === 3 && { version: 1 + choose(3) }),
      ...(choose(6) > 0 && { id: this.id() }),
      context: this.payload(),
    };
  }

  /** What was created before and deleted: the same id and key, perhaps both past their time. */
  private again(state: ModelState): CreateOperation | undefined {
    const { choose } = this;
    const created = [...state.keys.values()].flatMap(({ by }) =>
      by.kind === 'one' && by.operation.op === 'create' ? [by.operation] : [],
    );
    const deletion = state.deletions[choose(2)];
    if (created.length === 0 || deletion === undefined) return undefined;
    return { ...pick(choose, created), id: deletion.id };
  }

  private apply(id: string, state: ModelState): ApplyOperation {
    const { choose } = this;
    const row = state.instances.get(id);
    const expectation = choose(10);
    return {
      op: 'apply',
      id,
      event: pick(choose, EVENTS),
      payload: this.payload(),
      ...(choose(5) === 4 && { eventId: `é-${choose(99)}` }),
      ...(expectation === 8 && { expectedState: pick(choose, STATES) }),
      ...(expectation === 9 && { expectedOffset: (row?.offset ?? 1) + (choose(3) === 2 ? 1 : 0) }),
    };
  }

  /** Mostly one that exists. */
  private existing(state: ModelState): string {
    const { choose } = this;
    const ids = [...state.instances.keys()];
    return choose(8) === 7 || ids.length === 0 ? this.id() : pick(choose, ids);
  }

  private id(): string {
    return pick(this.choose, IDS) + (this.choose(this.options.ids) || '');
  }

  private key(): { key?: string } {
    return this.choose(3) === 2 ? { key: `k${this.choose(KEYS)}` } : {};
  }

  private payload(): Fields {
    const n = this.choose(7);
    const kind = this.choose(14);
    switch (kind) {
      case 6:
        return Object.fromEntries(Array.from({ length: n * 2 }, (_, i) => [`f${i}`, i]));
      case 8:
        return { text: 'y'.repeat(n * 60), n };
      case 9:
        return { [`rare-${this.choose(5)}`]: n };
      default:
        if (kind < 8) return commonPayload(Math.min(kind, 6), n);
        // So that a segment is full after a few commands.
        return { text: BULK.slice(0, 200 + n * 120), n };
    }
  }
}
