/**
 * What a store goes through while calls fail: a life from its creation over several segments to a
 * clean close and back; an opening that finds frames in doubt and a torn one; writes that block the
 * thread; and a log with a reserve.
 */
import type { Durability, StoreOptions } from 'pawl';
import {
  type Command,
  create,
  KEYED,
  KEYED_BATCH,
  large,
  push,
  PUT,
  remove,
  TRANSACTION,
} from './commands.ts';
import { nothing, sizeable, type Start, torn } from './starts.ts';

/** Commands are sent side by side; timers go on by `waitMs` behind the step. */
export interface Step {
  readonly commands?: readonly Command[];
  readonly call?: 'flush' | 'verify';
  readonly waitMs?: number;
}

export interface Scenario {
  readonly name: string;
  readonly options: StoreOptions;
  readonly hasSyncedWrites: boolean;
  /** What its first opening finds. */
  readonly start: () => Promise<Start>;
  /** One opening each. */
  readonly sessions: readonly (readonly Step[] | 'read-only')[];
  /** Commands of the first session that come before any call is numbered. */
  readonly warmUp: readonly Command[];
  /** So many scenarios make the same calls in the same order, as far as their levels allow; this is one of them. */
  readonly share: { readonly number: number; readonly of: number };
}

function one(command: Command, waitMs = 0): Step {
  return { commands: [command], waitMs };
}

/** From nothing over several segments to a clean end, shown to a reader, opened again. */
const LIFE: Scenario['sessions'] = [
  [
    one(PUT),
    one(KEYED[0] as Command),
    one(create('b', { durable: true })),
    {
      commands: [
        push('a', 1, { durable: true }),
        KEYED[1] as Command,
        KEYED_BATCH,
        TRANSACTION,
        create('e'),
      ],
      waitMs: 25,
    },
    one(remove('d')),
    { commands: [large('a', 1, 900), large('b', 2, 900), large('e', 3, 900)] },
    one(large('a', 4, 900), 25),
    one({ ...large('b', 5, 900), durable: true }),
    { call: 'flush', waitMs: 60 },
    { commands: [6, 7, 8, 9, 10].map((n) => large('e', n, 800)) },
    { call: 'verify' },
    { commands: [KEYED[3] as Command, remove('e'), push('b', 2)], waitMs: 25 },
  ],
  'read-only',
  [{ commands: KEYED }, one(large('a', 11, 600)), { call: 'flush' }, one(push('b', 12), 25)],
];

/** Finds what a killed process left, makes sure of it, goes on over the next segments. */
const RECOVERY: Scenario['sessions'] = [
  'read-only',
  [
    { commands: KEYED },
    one(large('a', 20, 1200), 25),
    { commands: [large('a', 21, 900), large('b', 22, 900), large('a', 23, 900)] },
    one(create('f', { durable: true }), 60),
  ],
  [one(push('a', 24))],
];

/** As a lone caller is served on a fast disk: without leaving the thread. */
const BLOCKING: Scenario['sessions'] = [
  [
    one(push('a', 1)),
    one(create('g', { key: 'make-g' })),
    one(KEYED_BATCH),
    one(large('a', 2, 1500)),
    one(large('a', 3, 1500)),
    one(remove('g')),
  ],
  [one(push('a', 4))],
];

/** Large enough for a reserve, which is made behind the first segment and given up when there is no room. */
const RESERVED: Scenario['sessions'] = [
  [one(push('a', 1), 25), one(large('a', 2, 2500), 25), one(push('b', 3))],
  [one(push('a', 4), 25)],
];

/** A snapshot every few records, log dropped behind the newest: all of it beside commands. */
const SNAPSHOTS: Scenario['sessions'] = [
  [
    one(PUT),
    { commands: [create('a'), create('b'), large('a', 1, 900)], waitMs: 25 },
    { commands: [large('a', 2, 900), large('b', 3, 900)], waitMs: 25 },
    { commands: [large('a', 4, 900), large('b', 5, 900), push('a', 6)], waitMs: 25 },
    { call: 'flush', waitMs: 60 },
    { commands: KEYED, waitMs: 25 },
  ],
  'read-only',
  [one(large('a', 7, 600), 25), { commands: [push('a', 8), push('b', 9)], waitMs: 25 }],
];

type Level = readonly [Durability, boolean];
const SYNCED: Level = ['always', true];
const APART: Level = ['always', false];
const OS: Level = ['os', true];
const COUNTED: Level = [{ everyRecords: 3 }, true];

function family(
  what: string,
  levels: readonly Level[],
  rest: Pick<Scenario, 'start' | 'sessions' | 'warmUp'>,
  options: StoreOptions = {},
): Scenario[] {
  return levels.map(([durability, hasSyncedWrites], number) => ({
    name: `${what}, level ${JSON.stringify(durability)}${hasSyncedWrites ? '' : ', synced apart'}`,
    options: { ...options, durability },
    hasSyncedWrites,
    share: { number, of: levels.length },
    ...rest,
  }));
}

const LEVELS = [SYNCED, APART, OS, COUNTED];
const WARM_UP = [PUT, create('a'), ...Array.from({ length: 72 }, (_, n) => push('a', n))];

export const SCENARIOS: readonly Scenario[] = [
  ...family('a life', LEVELS, { start: nothing, sessions: LIFE, warmUp: [] }),
  ...family('a torn tail', LEVELS, { start: torn, sessions: RECOVERY, warmUp: [] }),
  ...family('a blocking path', [SYNCED, APART], {
    start: nothing,
    sessions: BLOCKING,
    warmUp: WARM_UP,
  }),
  ...family(
    'snapshots',
    [SYNCED, OS],
    { start: nothing, sessions: SNAPSHOTS, warmUp: [] },
    { snapshotInterval: 3, keepSnapshots: 1 },
  ),
  ...family('a reserve', [OS], { start: sizeable, sessions: RESERVED, warmUp: [push('b', 0)] }),
];
