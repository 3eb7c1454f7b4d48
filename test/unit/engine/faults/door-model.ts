/**
 * What the commands of the fault tests do to a store, by plain counting: a reference that shares no
 * code with the engine.
 */
import type { ReadStore } from 'pawl';
import type { Change, Command } from './commands.ts';

type Context = Record<string, unknown>;

interface Door {
  state: string;
  context: Context;
  isDeleted: boolean;
}

/** What a command does, or the code it is refused with. */
export type Decision = 'done' | 'nothing' | 'replayed' | 'refused';

export class DoorModel {
  offset = 0;
  isDefined = false;
  readonly doors: Map<string, Door> = new Map<string, Door>();
  readonly keys: Set<string> = new Set<string>();
  /** Code of the last command that was refused. */
  refusal = '';

  copy(): DoorModel {
    const copy = new DoorModel();
    copy.offset = this.offset;
    copy.isDefined = this.isDefined;
    for (const [id, door] of this.doors) copy.doors.set(id, { ...door });
    for (const key of this.keys) copy.keys.add(key);
    return copy;
  }

  perform(command: Command): Decision {
    if (command.as === 'put') return this.put();
    const scoped = command.key === undefined ? undefined : `${command.as}:${command.key}`;
    const isKnown = scoped !== undefined && this.keys.has(scoped);
    if (isKnown && (command.as !== 'single' || command.changes[0]?.op === 'create'))
      return 'replayed';
    const tried = this.copy();
    for (const change of command.changes) {
      const refusal = tried.change(change);
      if (refusal === undefined) continue;
      this.refusal = refusal;
      return 'refused';
    }
    if (isKnown) return 'replayed';
    if (tried.offset === this.offset && scoped === undefined) return 'nothing';
    if (scoped !== undefined) {
      tried.keys.add(scoped);
      // What a group came to is a record of its own.
      if (command.as !== 'single') tried.offset++;
    }
    this.become(tried);
    return 'done';
  }

  private put(): Decision {
    if (this.isDefined) return 'nothing';
    this.isDefined = true;
    this.offset++;
    return 'done';
  }

  private change(change: Change): string | undefined {
    const door = this.doors.get(change.id);
    if (change.op === 'create') {
      if (door !== undefined) return 'INSTANCE_EXISTS';
      if (!this.isDefined) return 'MACHINE_NOT_FOUND';
      this.doors.set(change.id, { state: 'open', context: change.context, isDeleted: false });
    } else if (change.op === 'apply') {
      if (door === undefined || door.isDeleted) return 'INSTANCE_NOT_FOUND';
      door.state = change.event === 'PUSH' ? 'shut' : 'open';
      door.context = { ...door.context, ...change.payload };
    } else {
      if (door === undefined) return 'INSTANCE_NOT_FOUND';
      if (door.isDeleted) return undefined;
      door.isDeleted = true;
    }
    this.offset++;
    return undefined;
  }

  private become(other: DoorModel): void {
    this.offset = other.offset;
    for (const [id, door] of other.doors) this.doors.set(id, door);
    for (const key of other.keys) this.keys.add(key);
  }

  /** The same text as viewOf() a store that holds this. */
  get view(): string {
    const doors = [...this.doors].map(([id, { state, context, isDeleted }]) =>
      shown(id, state, context, isDeleted),
    );
    return [`${this.offset} records`, this.isDefined ? 'door' : '', ...doors.toSorted()].join(' ');
  }
}

/** Everything a store shows, as one text; `ids` are looked at even when deleted. */
export function viewOf(store: ReadStore, ids: Iterable<string>): string {
  const live = [...store.instances.iterate()];
  const doors = live.map((one) => shown(one.id, one.state, one.context, one.deleted));
  if (store.instances.count() !== live.length) throw new Error('the counters differ from a scan');
  for (const id of ids) {
    const one = store.instances.get(id, { deleted: true });
    if (one?.deleted === true) doors.push(shown(id, one.state, one.context, true));
  }
  const machines = store.machines.list().map(({ name }) => name);
  return [`${store.offset} records`, machines.join(), ...doors.toSorted()].join(' ');
}

/** Long texts by their length: messages are read by people. */
function shown(id: string, state: string, context: object, isDeleted: boolean): string {
  if (isDeleted) return `${id}=deleted`;
  const fields = Object.entries(context)
    .map(([name, value]) => `${name}:${typeof value === 'string' ? value.length : String(value)}`)
    .toSorted();
  return `${id}=${state}(${fields.join()})`;
}
