/**
 * Random histories as records: every kind, with reused handles, keys, event ids, large contexts,
 * several machines and versions, hidden ones, times that go back and times that are not whole. What
 * the records say is drawn against the state so far, so that every one of them can be applied.
 */
import { ByteWriter } from '../../../src/base/bytes.ts';
import { ROW_FLAG } from '../../../src/instance/row.ts';
import type { NormalisedDefinition } from '../../../src/machine/definition.ts';
import { normalise } from '../../../src/machine/validate-definition.ts';
import { Annotations } from '../../../src/record/annotations.ts';
import { encodeDefinition } from '../../../src/record/definition-codec.ts';
import * as encode from '../../../src/record/encode.ts';
import { Fold } from '../../../src/state/fold.ts';
import { State } from '../../../src/state/state.ts';
import { writeValue } from '../../../src/value/write-value.ts';
import type { Choices } from '../../sim/choices.ts';

const MACHINES = ['order', 'лампа', '__proto__'];

export interface HistoryOptions {
  /** Times that are not whole numbers, and far from each other. Default false. */
  readonly hasWildTimes?: boolean;
  /** One context in 40 has so many bytes. Default 0: none. */
  readonly largeBytes?: number;
  /** Many instances: three of four records create one, and none is purged. Default false. */
  readonly isGrowing?: boolean;
}

export function freshState(seed = 1): State {
  return new State(Uint8Array.of(seed, 2, 3, 4, 5, 6, 7, 8));
}

export class RecordHistory {
  readonly state: State = freshState();
  /** Record n + 1 is records[n]. */
  readonly records: Uint8Array[] = [];
  private readonly fold = new Fold(this.state);
  private readonly choose: Choices;
  private readonly options: HistoryOptions;
  private readonly out = new ByteWriter(256);
  private readonly body = new ByteWriter(256);
  private readonly notes = new Annotations();
  private time = 1_700_000_000_000;
  private ids = 0;

  constructor(choose: Choices, options: HistoryOptions = {}) {
    this.choose = choose;
    this.options = options;
  }

  run(records: number): this {
    for (let i = 0; i < records; i++) this.step();
    return this;
  }

  private step(): void {
    this.passTime();
    this.notes.clear();
    this.body.position = 0;
    this.out.position = 0;
    this.write();
    const record = Uint8Array.from(this.out.bytes.subarray(0, this.out.position));
    this.records.push(record);
    this.fold.apply(record, 0, record.length, this.state.offset + 1);
  }

  private passTime(): void {
    const { choose } = this;
    this.time += choose(30) === 29 ? -500 : choose(50);
    if (this.options.hasWildTimes !== true) return;
    if (choose(9) === 8) this.time += 0.25;
    if (choose(40) === 39) this.time = -8.64e15 + choose(1000);
    if (choose(40) === 39) this.time = 8.64e15 - choose(1000);
  }

  private write(): void {
    const { choose, state } = this;
    const kind = choose(40);
    if (state.machines.nextIndex === 0 || kind === 0) return this.define();
    if (kind === 1) return this.hide();
    if (kind === 2) return this.indexes();
    if (kind === 3 && this.options.isGrowing !== true) return this.purge();
    if (kind === 4) return this.outcome();
    const handle = this.someHandle();
    if (handle < 0 || kind < (this.options.isGrowing === true ? 34 : 16)) return this.create();
    this.annotate();
    if (kind % 4 === 0) return encode.encodeDelete(this.out, this.time, handle, this.notes);
    this.apply(handle);
  }

  private define(): void {
    const { machines } = this.state;
    const name = this.pick(MACHINES);
    const version = (machines.group(name)?.versions.size ?? 0) + 1;
    const body = definition(name, version);
    const index = machines.nextIndex;
    const bytes = encodeDefinition(body);
    encode.encodeDefine(this.out, this.time, index, name, version, bytes, this.notes);
  }

  private hide(): void {
    const index = this.choose(this.state.machines.nextIndex);
    encode.encodeHide(this.out, this.time, index, this.notes);
  }

  private indexes(): void {
    const { name } = this.pick(this.state.machines.all()).machine;
    writeValue(this.body, ['n', 'deep.a', 'deep.b', 'tag'].slice(0, this.choose(5)), 'indexes');
    const bytes = this.body.bytes.slice(0, this.body.position);
    encode.encodeIndexes(this.out, this.time, name, bytes, this.notes);
  }

  private purge(): void {
    const { offset } = this.state;
    const through = (): number => (this.choose(3) === 0 ? 0 : this.choose(offset + 1));
    encode.encodePurge(this.out, this.time, through(), through());
  }

  private outcome(): void {
    this.annotate(true);
    this.notes.key = `t${this.notes.key}`;
    writeValue(this.body, { outcome: this.choose(9) }, 'outcome');
    encode.encodeOutcome(this.out, this.time, this.notes, this.body);
  }

  private create(): void {
    const { state, choose } = this;
    const handle = state.instances.free.peekNext();
    const index = choose(state.machines.nextIndex);
    const long = choose(20) === 19 ? 'z'.repeat(1 + choose(900)) : '';
    const id = `${this.pick(['a', 'ключ/', '..', 'order-'])}${this.ids++}${long}`;
    this.annotate();
    writeValue(this.body, this.context(), 'context');
    encode.encodeCreate(this.out, this.time, handle, index, id, this.notes, this.body);
  }

  private apply(handle: number): void {
    const { instances, machines } = this.state;
    const { compiled } = machines.at(instances.definition(handle));
    const from = instances.state(handle);
    const open = [...compiled.transitionFrom.keys()].filter(
      (at) => compiled.transitionFrom[at] === from,
    );
    const transition = this.pick(open);
    if (this.choose(4) > 0) writeValue(this.body, this.context(), 'payload');
    encode.encodeApply(this.out, this.time, handle, transition, this.notes, this.body);
  }

  private annotate(isKeyed = false): void {
    const { choose, notes } = this;
    if (choose(4) === 3) notes.eventId = `é-${choose(99)}${choose(9) === 8 ? 'x'.repeat(300) : ''}`;
    if (choose(8) === 7) notes.at = this.time - choose(5000);
    // Keys are written once: which one, the offset says.
    if (isKeyed || choose(3) === 2) notes.key = `k${this.state.offset}`;
    notes.fingerprint.set([choose(2 ** 32), choose(2 ** 32)]);
  }

  private context(): object {
    const { choose } = this;
    const { largeBytes = 0 } = this.options;
    if (largeBytes > 0 && choose(40) === 39) return { big: 'b'.repeat(largeBytes), n: 1 };
    const kind = choose(6);
    if (kind === 0) return {};
    if (kind === 1) return { [`rare-${choose(60)}`]: choose(9) };
    if (kind === 2) return { n: choose(7) };
    return { n: choose(1000), tag: 'x'.repeat(choose(40)), deep: { a: choose(9), b: [1, null] } };
  }

  /** One that is not deleted, or -1. */
  private someHandle(): number {
    const { instances } = this.state;
    const { rows } = instances.rows;
    if (rows === 0) return -1;
    for (let tries = 0; tries < 8; tries++) {
      const handle = this.choose(rows);
      const state = instances.flags(handle) & (ROW_FLAG.live | ROW_FLAG.deleted);
      if (state === ROW_FLAG.live) return handle;
    }
    return -1;
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.choose(from.length)] as T;
  }
}

function definition(name: string, version: number): NormalisedDefinition {
  return normalise({
    name,
    version,
    states: ['new', 'busy', ...(version === 2 ? ['extra'] : [])],
    initial: version === 3 ? 'busy' : 'new',
    transitions: [
      { from: ['new', 'busy'], event: 'GO', to: 'busy' },
      { from: 'busy', event: 'BACK', to: 'new' },
    ],
    ...(version === 1 && { indexes: ['n'] }),
  });
}

/** Applies records to a state that ends before the first of them. */
export function foldInto(state: State, records: readonly Uint8Array[]): void {
  const fold = new Fold(state);
  for (const record of records) fold.apply(record, 0, record.length, state.offset + 1);
}
