/**
 * What the crash tests let a store do, and what must be found of it. Several callers work side by
 * side, each on commands in a fixed order and one at a time, each command with an idempotency key
 * of its own; so what a caller got done is a number, and everything that must be in the store
 * follows from the numbers.
 */
import type { MachineDefinition, ReadStore, Store } from 'pawl';

const RING: MachineDefinition = {
  name: 'ring',
  version: 1,
  states: ['r0', 'r1', 'r2', 'r3', 'r4'],
  initial: 'r0',
  transitions: [
    ...[0, 1, 2, 3, 4].map((n) => ({ from: `r${n}`, event: 'STEP', to: `r${(n + 1) % 5}` })),
    { from: ['r0', 'r1', 'r2', 'r3', 'r4'], event: 'NOTE', to: 'r0' },
  ],
};
export const CALLERS = 6;
/** No command of any caller. */
export const NOTHING: readonly number[] = Array.from({ length: CALLERS }, () => 0);
const SHARED = ['left', 'right'];

/** What callers tell as they go: `serial` of caller `caller` is about to be sent, or was acknowledged. */
export interface Told {
  sent(caller: number, serial: number): void;
  done(caller: number, serial: number, offset: number, applied: boolean): void;
}

const own = (caller: number): string => `own-${caller}`;
const pair = (caller: number, serial: number, side: number): string =>
  `pair-${caller}-${serial}-${side}`;

/** Puts what the callers need; may be repeated. Resolves when all of it is safe. `made` hears how many of its records are. */
export async function prepare(store: Store, made?: (records: number) => void): Promise<void> {
  await store.machines.put(RING);
  made?.(1);
  const ids = [...SHARED, ...Array.from({ length: CALLERS }, (_, caller) => own(caller))];
  for (const [index, id] of ids.entries()) {
    await store.instances.create({ machine: 'ring', id, idempotencyKey: `setup-${id}` });
    made?.(2 + index);
  }
}

/** Records that prepare() writes. */
export const PREPARED: number = 1 + SHARED.length + CALLERS;

/** Command number `serial` of a caller, from 0. */
export async function perform(
  store: Store,
  caller: number,
  serial: number,
): Promise<{ offset: number; applied: boolean }> {
  const options = { idempotencyKey: `${caller}:${serial}` };
  switch (serial % 4) {
    case 0: {
      const payload = { serial, [`at-${serial % 7}`]: 'x'.repeat(serial % 60) };
      return store.instances.apply(own(caller), 'STEP', payload, options);
    }
    case 1:
      return store.transaction((tx) => {
        for (const id of SHARED) tx.instances.apply(id, 'NOTE', { [`c${caller}`]: serial });
        return serial;
      }, options);
    case 2: {
      const created = await store.batch(
        [0, 1].map((side) => ({
          op: 'create' as const,
          machine: 'ring',
          id: pair(caller, serial, side),
          context: { serial, side },
        })),
        options,
      );
      return created[1]!;
    }
    default: {
      const results = await store.batch(
        [
          { op: 'apply', id: own(caller), event: 'STEP', payload: { serial } },
          { op: 'delete', id: pair(caller, serial - 1, 0) },
        ],
        options,
      );
      return results[1];
    }
  }
}

/** Records of command number `serial`: a keyed group adds one for its outcome. */
function recordsOf(serial: number): number {
  return serial % 4 === 0 ? 1 : 3;
}

/** A caller goes on from `from`, until `until` or for ever. */
export async function work(
  store: Store,
  caller: number,
  from: number,
  until: number,
  told: Told,
): Promise<void> {
  for (let serial = from; serial < until; serial++) {
    told.sent(caller, serial);
    const { offset, applied } = await perform(store, caller, serial);
    told.done(caller, serial, offset, applied);
  }
}

function byId([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return a < b ? -1 : 1;
}

/** What the store shows of one caller. */
type Part = Readonly<Record<string, unknown>>;

type Pairs = readonly (readonly [string, string, unknown])[];

/** Of every caller. */
function pairsIn(store: ReadStore): Pairs[] {
  const pairs = Array.from({ length: CALLERS }, () => [] as [string, string, unknown][]);
  for (const { id, state, context } of store.instances.iterate()) {
    const [what, caller] = id.split('-');
    if (what === 'pair') pairs[Number(caller)]?.push([id, state, context]);
  }
  return pairs;
}

function partOf(store: ReadStore, caller: number, pairs: Pairs): Part {
  const noted = SHARED.map((id) => store.instances.get(id)?.context[`c${caller}`] ?? -1);
  const mine = store.instances.get(own(caller));
  const all: Record<string, unknown> = { noted, state: mine?.state, context: mine?.context };
  all['pairs'] = pairs.toSorted(byId);
  return all;
}

/** The same, after so many of its commands, by plain counting. */
function expectedPart(caller: number, count: number): Part {
  let steps = 0;
  let noted = -1;
  const context: Record<string, unknown> = {};
  const pairs = new Map<string, readonly [string, string, unknown]>();
  for (let serial = 0; serial < count; serial++) {
    const kind = serial % 4;
    if (kind === 1) noted = serial;
    if (kind === 2)
      for (const side of [0, 1]) {
        const id = pair(caller, serial, side);
        pairs.set(id, [id, 'r0', { serial, side }]);
      }
    if (kind === 3) pairs.delete(pair(caller, serial - 1, 0));
    if (kind !== 0 && kind !== 3) continue;
    steps++;
    context['serial'] = serial;
    if (kind === 0) context[`at-${serial % 7}`] = 'x'.repeat(serial % 60);
  }
  const sorted = [...pairs.values()].toSorted(byId);
  return { noted: SHARED.map(() => noted), state: `r${steps % 5}`, context, pairs: sorted };
}

/**
 * How much of each caller is there: what was acknowledged, or one more where one was under way.
 * Throws when what is there is anything else, or when the log holds more or less than that.
 */
export function findProgress(
  store: ReadStore,
  acknowledged: readonly number[],
  sent: readonly number[],
): number[] {
  const pairs = pairsIn(store);
  const found = acknowledged.map((count, caller) => {
    const part = JSON.stringify(partOf(store, caller, pairs[caller] as Pairs));
    for (let candidate = count; candidate <= (sent[caller] ?? 0); candidate++)
      if (canonical(part) === canonical(JSON.stringify(expectedPart(caller, candidate))))
        return candidate;
    throw new Error(
      `caller ${caller}: ${count} acknowledged, ${sent[caller]} sent, found ${part}, ` +
        `expected ${JSON.stringify(expectedPart(caller, count))}`,
    );
  });
  let records = PREPARED;
  for (const count of found)
    for (let serial = 0; serial < count; serial++) records += recordsOf(serial);
  if (store.offset !== records)
    throw new Error(`${store.offset} records, ${records} for what is there: ${found.join(' ')}`);
  return found;
}

/** What is known of a store from outside, and so what must be found when it is opened. */
export interface Expected {
  /** Is all of prepare() acknowledged? */
  readonly isPrepared: boolean;
  /** Records of prepare(), while it is not. */
  readonly made: readonly [atLeast: number, atMost: number];
  /** Commands of each caller. */
  readonly atLeast: readonly number[];
  readonly atMost: readonly number[];
}

/** Holds a store that was just opened against that, and its files against themselves; gives the commands found. */
export async function checkStore(store: ReadStore, expected: Expected): Promise<number[]> {
  const [least, most] = expected.made;
  if (!expected.isPrepared && (store.offset < least || store.offset > most))
    throw new Error(`${store.offset} records, ${least} to ${most} were made`);
  const isWorkedOn = expected.isPrepared || store.offset >= PREPARED;
  const found = isWorkedOn ? findProgress(store, expected.atLeast, expected.atMost) : [...NOTHING];
  const { problems } = await store.verify();
  if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems)}`);
  return found;
}

/** Contexts keep the order in which fields came: not compared here. */
function canonical(json: string): string {
  return JSON.stringify(JSON.parse(json), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
