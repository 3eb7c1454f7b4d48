/**
 * Queries of a simulated run: drawn as plain data, asked of a store page by page, and answered from
 * the rows of the reference model by filtering and sorting them. No code of the engine.
 */
import type { ReadStore } from '../../src/engine/api/store.ts';
import { type Choices, pick } from './choices.ts';
import { shortened, textOf } from './commands.ts';
import type { ModelState, Row } from './model-state.ts';

interface Condition {
  readonly path: string;
  readonly operator:
    | 'eq'
    | 'ne'
    | 'gt'
    | 'gte'
    | 'lt'
    | 'lte'
    | 'in'
    | 'prefix'
    | 'contains'
    | 'exists';
  readonly value: unknown;
}

export interface Question {
  readonly machine: string | undefined;
  readonly version: number | undefined;
  readonly state: string | undefined;
  readonly where: Condition | undefined;
  readonly orderBy: 'id' | 'createdAt' | 'updatedAt' | 'n';
  readonly isDescending: boolean;
  readonly limit: number;
}

const NUMERIC = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
const STATES = ['new', 'busy', 'done', 'extra'];
const ORDERS = ['id', 'updatedAt', 'createdAt', 'updatedAt', 'n'] as const;

export function drawQuestion(choose: Choices, state: ModelState): Question {
  const names = [...state.machines.keys()].sort();
  const machine = names.length > 0 && choose(5) > 0 ? pick(choose, names) : undefined;
  const isOfVersion = machine !== undefined && choose(8) === 7;
  const orderBy = pick(choose, ORDERS);
  return {
    machine,
    version: isOfVersion ? 1 + choose(3) : undefined,
    state: choose(2) === 1 ? pick(choose, STATES) : undefined,
    where: choose(3) > 0 ? drawCondition(choose) : undefined,
    // The order of a path is that of one machine.
    orderBy: orderBy === 'n' && machine === undefined ? 'id' : orderBy,
    isDescending: choose(2) === 1,
    limit: 1 + choose(7),
  };
}

function drawCondition(choose: Choices): Condition {
  const n = choose(7);
  switch (choose(8)) {
    case 0:
      return { path: 'n', operator: 'in', value: [n, choose(7)] };
    case 1:
      return { path: 'deep.a', operator: 'contains', value: n };
    case 2:
      return { path: 'text', operator: 'prefix', value: pick(choose, ['x', 'y', 'z0', 'мн', '']) };
    case 3:
      return { path: pick(choose, ['n', 'deep.a', 'list']), operator: 'exists', value: n > 3 };
    default:
      return { path: 'n', operator: pick(choose, NUMERIC), value: n };
  }
}

/** Throws when the store answers otherwise than the model. */
export function checkAnswer(
  reads: Pick<ReadStore['instances'], 'find' | 'count'>,
  question: Question,
  state: ModelState,
): void {
  const expected = answerOf(question, state).map(({ id }) => id);
  const { found, total, plans } = asked(reads, question);
  const told = `${textOf(question)} (${plans.join('; ')})\n  found ${shortened(textOf(found))}`;
  if (textOf(found) !== textOf(expected))
    throw new Error(`${told}\n  to be ${shortened(textOf(expected))}`);
  if (total !== expected.length) throw new Error(`${told}\n  and counted ${total} of them`);
}

function asked(
  reads: Pick<ReadStore['instances'], 'find' | 'count'>,
  question: Question,
): { found: string[]; total: number | undefined; plans: string[] } {
  const { machine, version, state, where, orderBy, isDescending, limit } = question;
  const query = {
    ...(machine !== undefined && { machine }),
    ...(version !== undefined && { version }),
    ...(state !== undefined && { state }),
    ...(where !== undefined && { where: { [where.path]: { [where.operator]: where.value } } }),
    allowScan: true,
    orderBy,
    direction: isDescending ? 'desc' : 'asc',
    limit,
    total: true,
  } as const;
  const found: string[] = [];
  const plans: string[] = [];
  let total: number | undefined;
  for (let cursor: string | undefined; ;) {
    const page = reads.find({ ...query, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items.map(({ id }) => id));
    plans.push(page.plan);
    total = page.total;
    ({ cursor } = page);
    if (cursor === undefined) break;
    if (page.items.length !== limit) throw new Error(`a page of ${page.items.length} goes on`);
  }
  return { found, total, plans: [...new Set(plans)] };
}

function answerOf(question: Question, state: ModelState): Row[] {
  const { machine, version, state: name, where, orderBy, isDescending } = question;
  const rows = [...state.instances.values()].filter(
    (row) =>
      !row.deleted &&
      (machine === undefined || row.machine === machine) &&
      (version === undefined || row.version === version) &&
      (name === undefined || row.state === name) &&
      (where === undefined || holds(where, valueAt(row.context, where.path))),
  );
  const valueOf = (row: Row): number => {
    if (orderBy === 'id') return 0;
    if (orderBy !== 'n') return row[orderBy];
    const { n } = row.context;
    return typeof n === 'number' ? n : Number.NEGATIVE_INFINITY;
  };
  const compare = (a: Row, b: Row): number => {
    const [first, second] = [valueOf(a), valueOf(b)];
    if (first !== second) return first < second ? -1 : 1;
    return Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
  };
  const sorted = rows.toSorted(compare);
  return isDescending ? sorted.reverse() : sorted;
}

function valueAt(context: unknown, path: string): unknown {
  let value = context;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

function holds({ operator, value: wanted }: Condition, value: unknown): boolean {
  switch (operator) {
    case 'eq':
      return value === wanted;
    case 'ne':
      return value !== wanted;
    case 'in':
      return (wanted as unknown[]).includes(value);
    case 'prefix':
      return typeof value === 'string' && value.startsWith(wanted as string);
    case 'contains':
      return Array.isArray(value) && value.includes(wanted);
    case 'exists':
      return (value !== undefined) === wanted;
    default:
      return typeof value === 'number' && isBeyond(operator, value, wanted as number);
  }
}

function isBeyond(operator: 'gt' | 'gte' | 'lt' | 'lte', value: number, bound: number): boolean {
  if (operator === 'gt') return value > bound;
  if (operator === 'gte') return value >= bound;
  return operator === 'lt' ? value < bound : value <= bound;
}
