/**
 * The store as it would be if one command after another ran to its end: what concurrent commands
 * are compared with. Two machines, keys, expectations, deletion; no time, no retention, no disk.
 */
export interface ModelInstance {
  readonly machine: string;
  state: string;
  context: Record<string, unknown>;
  offset: number;
  isDeleted: boolean;
}

export type Command =
  | {
      readonly kind: 'create';
      readonly id: string;
      readonly machine: string;
      readonly context: Record<string, unknown>;
      readonly key?: string | undefined;
    }
  | {
      readonly kind: 'apply';
      readonly id: string;
      readonly event: string;
      readonly payload: Record<string, unknown>;
      readonly expectedState?: string | undefined;
      readonly isCurrent?: boolean | undefined;
      readonly key?: string | undefined;
    }
  | { readonly kind: 'delete'; readonly id: string; readonly key?: string | undefined };
export type Group = {
  readonly kind: 'transaction' | 'atomic' | 'best_effort';
  readonly commands: readonly Command[];
};

/** An answer as data: what a caller can tell apart. */
export type Answer = Readonly<Record<string, unknown>>;

const DOOR: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  open: { PUSH: 'shut', PULL: 'open' },
  shut: { PUSH: 'shut', PULL: 'open', LOCK: 'gone' },
  gone: {},
};
const LAMP: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  off: { PRESS: 'on' },
  on: { PRESS: 'off' },
};

interface Remembered {
  readonly text: string;
  readonly answer: Answer;
}

export class SequentialModel {
  instances: Map<string, ModelInstance> = new Map();
  offset: number;
  private keys: Map<string, Remembered> = new Map();

  constructor(offset: number) {
    this.offset = offset;
  }

  run(command: Command): Answer {
    const scope = command.kind === 'create' ? command.machine : command.id;
    const key = command.key === undefined ? undefined : `${command.kind}|${scope}|${command.key}`;
    const current = this.instances.get(command.id);
    if (command.kind !== 'create' && current === undefined) return { code: 'INSTANCE_NOT_FOUND' };
    if (command.kind === 'apply' && current?.isDeleted === true)
      return { code: 'INSTANCE_NOT_FOUND' };
    if (key !== undefined) {
      const first = this.keys.get(key);
      if (first !== undefined)
        return first.text === argumentsOf(command)
          ? { ...first.answer, applied: false }
          : { code: 'CONFLICT' };
    }
    const answer = this.decide(command, current);
    if (key !== undefined && answer['applied'] === true)
      this.keys.set(key, { text: argumentsOf(command), answer });
    return answer;
  }

  /** All or none, unless it is best effort; a transaction or atomic batch answers with its first refusal. */
  runGroup(group: Group): Answer | readonly Answer[] {
    const before = { offset: this.offset, instances: structuredClone(this.instances) };
    const answers: Answer[] = [];
    for (const [index, command] of group.commands.entries()) {
      const answer = this.run({ ...command, key: undefined });
      if ('code' in answer && group.kind !== 'best_effort') {
        this.offset = before.offset;
        this.instances = before.instances;
        return { ...answer, index };
      }
      answers.push(answer);
    }
    return answers;
  }

  private decide(command: Command, current: ModelInstance | undefined): Answer {
    const { id } = command;
    if (command.kind === 'create') {
      if (current !== undefined) return { code: 'INSTANCE_EXISTS' };
      const state = command.machine === 'door' ? 'open' : 'off';
      const made = {
        machine: command.machine,
        state,
        context: { ...command.context },
        offset: ++this.offset,
        isDeleted: false,
      };
      this.instances.set(id, made);
      return { id, state, context: { ...made.context }, offset: made.offset, applied: true };
    }
    const instance = current as ModelInstance;
    if (command.kind === 'delete') {
      if (instance.isDeleted) return { id, offset: instance.offset, applied: false };
      instance.isDeleted = true;
      instance.offset = ++this.offset;
      return { id, offset: instance.offset, applied: true };
    }
    if (command.expectedState !== undefined && command.expectedState !== instance.state)
      return { code: 'CONFLICT' };
    const from = instance.state;
    const to = (instance.machine === 'door' ? DOOR : LAMP)[from]?.[command.event];
    if (to === undefined) return { code: 'INVALID_TRANSITION' };
    if (command.event === 'LOCK' && instance.context['key'] !== 'iron')
      return { code: 'GUARD_FAILED' };
    instance.state = to;
    instance.context = { ...instance.context, ...command.payload };
    instance.offset = ++this.offset;
    return {
      id,
      from,
      to,
      context: { ...instance.context },
      offset: instance.offset,
      applied: true,
    };
  }
}

function argumentsOf(command: Command): string {
  if (command.kind === 'create') return inOrder([command.id, command.context]);
  return command.kind === 'apply' ? inOrder([command.event, command.payload]) : '';
}

/** The order of an object's fields makes no other argument. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
