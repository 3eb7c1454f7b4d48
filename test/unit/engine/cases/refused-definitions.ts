/** Every way a definition can be wrong: BAD_REQUEST naming the place, nothing written (MAC-1, MAC-3, MAC-5, GEN-1). */
import { describe, expect, test } from 'vitest';
import { DOOR, expectRefused, nested, type Open, withOneDoor } from './contract.ts';

const [PUSH, PULL, LOCK] = DOOR.transitions;
const rules = (...more: object[]): object => ({ transitions: [PUSH, PULL, LOCK, ...more] });
const guard = (text: unknown): object => ({ transitions: [{ ...PUSH, guard: text }] });
const WITH_HOLE: string[] = ['open'];
WITH_HOLE[2] = 'shut';
const cyclic: Record<string, unknown> = {};
cyclic['me'] = cyclic;

/** What is changed in a good definition, and the path that is to blame. */
const FAULTS: readonly (readonly [string, object, string])[] = [
  ['no name', { name: undefined }, 'name'],
  ['an empty name', { name: '' }, 'name'],
  ['a name that is no text', { name: 7 }, 'name'],
  ['a name of 1,025 bytes', { name: `${'é'.repeat(512)}x` }, 'name'],
  ['a name with a lone surrogate', { name: 'a\ud800' }, 'name'],
  ['no version', { version: undefined }, 'version'],
  ['a fractional version', { version: 1.5 }, 'version'],
  ['a negative version', { version: -1 }, 'version'],
  ['a version over 32 bits', { version: 2 ** 32 }, 'version'],
  ['a version that is text', { version: '1' }, 'version'],
  ['no states', { states: undefined }, 'states'],
  ['an empty list of states', { states: [] }, 'states'],
  ['a state that is no text', { states: ['open', 'shut', 'gone', 3] }, 'states[3]'],
  ['states with a hole', { states: WITH_HOLE }, 'states'],
  ['no initial state', { initial: undefined }, 'initial'],
  ['an initial state not listed', { initial: 'ajar' }, 'initial'],
  ['no transitions', { transitions: undefined }, 'transitions'],
  ['transitions that are no list', { transitions: {} }, 'transitions'],
  ['a rule that is no object', rules([]), 'transitions[3]'],
  [
    'a rule from a state not listed',
    rules({ from: 'ajar', event: 'E', to: 'open' }),
    'transitions[3].from',
  ],
  [
    'a rule from a list with one not listed',
    rules({ from: ['open', 'ajar'], event: 'E', to: 'open' }),
    'transitions[3].from[1]',
  ],
  ['a rule from nowhere', rules({ from: [], event: 'E', to: 'open' }), 'transitions[3].from'],
  [
    'a rule to a state not listed',
    rules({ from: 'open', event: 'E', to: 'ajar' }),
    'transitions[3].to',
  ],
  ['a rule without an event', rules({ from: 'open', to: 'shut' }), 'transitions[3].event'],
  [
    'a rule with an empty event',
    rules({ from: 'open', event: '', to: 'shut' }),
    'transitions[3].event',
  ],
  [
    'a misspelt guard',
    rules({ from: 'open', event: 'E', to: 'shut', gaurd: 'ctx.a' }),
    'transitions[3].gaurd',
  ],
  ['an unknown field', { colour: 'red' }, 'colour'],
  [
    'MAC-3 a rule behind an unguarded one',
    rules({ from: 'open', event: 'PUSH', to: 'gone', guard: 'ctx.a' }),
    'transitions[3]',
  ],
  [
    'MAC-3 the same guard twice',
    rules({ from: 'shut', event: 'LOCK', to: 'open', guard: ' ctx.key=="iron" ' }),
    'transitions[3].guard',
  ],
  ['a guard that is no text', guard(5), 'transitions[0].guard'],
  ['MAC-5 an empty guard', guard(''), 'transitions[0].guard'],
  ['MAC-5 a guard with something behind it', guard('ctx.a junk'), 'transitions[0].guard'],
  ['MAC-5 an open parenthesis', guard('(ctx.a'), 'transitions[0].guard'],
  ['MAC-5 an ordering against text', guard('ctx.a > "b"'), 'transitions[0].guard'],
  [
    'MAC-5 101 levels of parentheses',
    guard(`${'('.repeat(101)}ctx.a${')'.repeat(101)}`),
    'transitions[0].guard',
  ],
  ['MAC-5 100,000 levels of parentheses', guard('('.repeat(100_000)), 'transitions[0].guard'],
  [
    'a timeout in a state not listed',
    { timeouts: [{ state: 'ajar', after: 1, event: 'PUSH' }] },
    'timeouts[0].state',
  ],
  [
    'a timeout with an event nobody takes',
    { timeouts: [{ state: 'open', after: 1, event: 'BANG' }] },
    'timeouts[0].event',
  ],
  [
    'a timeout after nonsense',
    { timeouts: [{ state: 'open', after: 'soon', event: 'PUSH' }] },
    'timeouts[0].after',
  ],
  [
    'a negative timeout',
    { timeouts: [{ state: 'open', after: -1, event: 'PUSH' }] },
    'timeouts[0].after',
  ],
  ['an index that is no text', { indexes: [1] }, 'indexes[0]'],
  ['an index with an empty part', { indexes: ['a..b'] }, 'indexes[0]'],
  ['an index of 65 names', { indexes: ['ok', 'a.'.repeat(64) + 'a'] }, 'indexes[1]'],
  ['meta that is no object', { meta: [] }, 'meta'],
  ['meta with a function', { meta: { run: () => 1 } }, 'meta.run'],
  ['meta with NaN', { meta: { deep: [{ n: NaN }] } }, 'meta.deep[0].n'],
  ['meta with undefined', { meta: { none: undefined } }, 'meta.none'],
  ['meta with a date', { meta: { at: new Date(0) } }, 'meta.at'],
  ['meta with a bigint over 64 bits', { meta: { big: 2n ** 64n } }, 'meta.big'],
  ['meta with a lone surrogate', { meta: { text: '\udc00' } }, 'meta.text'],
];

const GETTERS: readonly (readonly [string, object])[] = [
  ['meta in a cycle', { meta: cyclic }],
  ['meta of 10,000 levels', { meta: nested(10_000) }],
  [
    'a getter that throws',
    {
      get states(): never {
        throw new Error('boo');
      },
    },
  ],
  [
    'a proxy that throws',
    {
      meta: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('boo');
          },
        },
      ),
    },
  ],
];

export function refusedDefinitionCases(open: Open): void {
  describe('definitions that are refused', () => {
    test.each(FAULTS)('MAC-1 GEN-1 %s', async (_, change, path) => {
      const store = await withOneDoor(open);
      const definition = { ...DOOR, version: 2, ...change };
      const error = await expectRefused(store, 'BAD_REQUEST', () => store.machines.put(definition));
      expect(error.details).toMatchObject({ path });
    });

    test.each(GETTERS)('MAC-1 F-79 %s', async (_, change) => {
      const store = await withOneDoor(open);
      const definition = Object.defineProperties(
        { ...DOOR, version: 2 },
        Object.getOwnPropertyDescriptors(change),
      );
      const error = await expectRefused(store, 'BAD_REQUEST', () => store.machines.put(definition));
      expect(error.details).toHaveProperty('path');
    });

    test.each([[undefined], [null], [5], ['door'], [[]], [(): unknown => DOOR], [new Map()]])(
      'MAC-1 what is no definition at all: %s',
      async (value) => {
        const store = await withOneDoor(open);
        const put = (): unknown => store.machines.put(value as never);
        expect((await expectRefused(store, 'BAD_REQUEST', put)).details).toHaveProperty('path');
      },
    );

    test('MAC-1 a good one is still taken after all of them', async () => {
      const store = await withOneDoor(open);
      for (const [, change] of FAULTS) {
        await store.machines.put({ ...DOOR, version: 2, ...change }).catch(() => undefined);
      }
      expect(await store.machines.put({ ...DOOR, version: 2 })).toMatchObject({ created: true });
      expect(store.offset).toBe(3);
    });
  });
}
