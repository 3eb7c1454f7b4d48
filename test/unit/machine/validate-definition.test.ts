import { describe, expect, it } from 'vitest';
import { validateDefinition } from '../../../src/machine/index.ts';
import { MAX_INDEXES } from '../../../src/machine/limits.ts';
import { order, refusalOf } from './errors.ts';

/** Replaces fields of the good definition. */
const spoilt = (changes: Record<string, unknown>): unknown => ({ ...order(), ...changes });
const pay = { from: 'created', event: 'PAY', to: 'paid' };
const rules = (...transitions: unknown[]): unknown => spoilt({ transitions, timeouts: undefined });
const timeout = (changes: Record<string, unknown>): unknown =>
  spoilt({ timeouts: [{ state: 'created', after: '30m', event: 'EXPIRE', ...changes }] });
const meta = (value: unknown): unknown => spoilt({ meta: value });

/** What is wrong, the definition, and the path the refusal must name. */
const FAULTS: readonly (readonly [string, unknown, string])[] = [
  ['nothing at all', undefined, 'definition'],
  ['null', null, 'definition'],
  ['text', 'order', 'definition'],
  ['a list', [], 'definition'],
  ['a function', () => order(), 'definition'],
  ['a date', new Date(0), 'definition'],
  ['a map', new Map(Object.entries(order())), 'definition'],
  ['an unknown field', spoilt({ state: [] }), 'state'],
  ['types, which only defineMachine takes', spoilt({ types: {} }), 'types'],
  ['a symbol as a field', { ...order(), [Symbol('x')]: 1 }, 'definition'],

  ['no name', spoilt({ name: undefined }), 'name'],
  ['an empty name', spoilt({ name: '' }), 'name'],
  ['a number as name', spoilt({ name: 7 }), 'name'],
  ['a name of 1,025 bytes', spoilt({ name: 'x'.repeat(1025) }), 'name'],
  ['a name of 1,025 bytes in fewer characters', spoilt({ name: `${'é'.repeat(512)}x` }), 'name'],
  ['half a surrogate pair in the name', spoilt({ name: 'a\ud800' }), 'name'],

  ['no version', spoilt({ version: undefined }), 'version'],
  ['a negative version', spoilt({ version: -1 }), 'version'],
  ['a fractional version', spoilt({ version: 1.5 }), 'version'],
  ['a version of 2^32', spoilt({ version: 2 ** 32 }), 'version'],
  ['a version as text', spoilt({ version: '1' }), 'version'],
  ['a version as bigint', spoilt({ version: 1n }), 'version'],
  ['NaN as version', spoilt({ version: Number.NaN }), 'version'],
  ['an infinite version', spoilt({ version: Number.POSITIVE_INFINITY }), 'version'],

  ['no states', spoilt({ states: undefined }), 'states'],
  ['empty states', spoilt({ states: [] }), 'states'],
  ['one text as states', spoilt({ states: 'created' }), 'states'],
  ['an object as states', spoilt({ states: { 0: 'created' } }), 'states'],
  ['a state that is no text', spoilt({ states: ['created', 3] }), 'states[1]'],
  ['an empty state', spoilt({ states: ['created', ''] }), 'states[1]'],
  ['a hole in states', spoilt({ states: Object.assign([], { 1: 'created' }) }), 'states'],
  ['undefined in states', spoilt({ states: ['created', undefined] }), 'states[1]'],
  ['a named property on states', spoilt({ states: Object.assign(['a'], { b: 1 }) }), 'states'],

  ['no initial', spoilt({ initial: undefined }), 'initial'],
  ['an initial that is no state', spoilt({ initial: 'new' }), 'initial'],
  ['a number as initial', spoilt({ initial: 0 }), 'initial'],
  ['an initial inherited by every object', spoilt({ initial: 'constructor' }), 'initial'],

  ['no transitions', spoilt({ transitions: undefined }), 'transitions'],
  ['an object as transitions', spoilt({ transitions: {} }), 'transitions'],
  ['a rule that is text', rules(pay, 'PAY'), 'transitions[1]'],
  ['a rule that is null', rules(pay, null), 'transitions[1]'],
  ['a rule that is a list', rules([]), 'transitions[0]'],
  ['a misspelt guard', rules({ ...pay, gaurd: 'ctx.a' }), 'transitions[0].gaurd'],
  ['a rule without from', rules({ event: 'PAY', to: 'paid' }), 'transitions[0].from'],
  ['a from that is no state', rules({ ...pay, from: 'new' }), 'transitions[0].from'],
  ['a from that is empty', rules({ ...pay, from: [] }), 'transitions[0].from'],
  [
    'one of several from no state',
    rules({ ...pay, from: ['paid', 'x'] }),
    'transitions[0].from[1]',
  ],
  ['a from inside a list in a list', rules({ ...pay, from: [['paid']] }), 'transitions[0].from[0]'],
  ['a rule without event', rules({ from: 'created', to: 'paid' }), 'transitions[0].event'],
  ['an empty event', rules({ ...pay, event: '' }), 'transitions[0].event'],
  ['a number as event', rules({ ...pay, event: 4 }), 'transitions[0].event'],
  ['an event of 1,025 bytes', rules({ ...pay, event: 'x'.repeat(1025) }), 'transitions[0].event'],
  ['a rule without to', rules({ from: 'created', event: 'PAY' }), 'transitions[0].to'],
  ['a to that is no state', rules({ ...pay, to: 'payed' }), 'transitions[0].to'],
  ['several to', rules({ ...pay, to: ['paid'] }), 'transitions[0].to'],
  [
    'a guard that does not parse',
    rules(pay, { ...pay, guard: 'ctx.a junk' }),
    'transitions[1].guard',
  ],
  ['an empty guard', rules({ ...pay, guard: '' }), 'transitions[0].guard'],
  ['null as guard', rules({ ...pay, guard: null }), 'transitions[0].guard'],
  ['a function as guard', rules({ ...pay, guard: () => true }), 'transitions[0].guard'],
  ['true as guard', rules({ ...pay, guard: true }), 'transitions[0].guard'],

  ['timeouts that are no list', spoilt({ timeouts: {} }), 'timeouts'],
  ['a timeout that is no object', spoilt({ timeouts: [5] }), 'timeouts[0]'],
  ['an unknown field of a timeout', timeout({ afterMs: 1 }), 'timeouts[0].afterMs'],
  ['a timeout in no state', timeout({ state: 'x' }), 'timeouts[0].state'],
  ['a timeout without state', timeout({ state: undefined }), 'timeouts[0].state'],
  ['a timeout without after', timeout({ after: undefined }), 'timeouts[0].after'],
  ['a timeout without event', timeout({ event: undefined }), 'timeouts[0].event'],
  ['a timeout by an unknown event', timeout({ event: 'NOPE' }), 'timeouts[0].event'],
  ['a timeout by an event of another state', timeout({ event: 'SHIP' }), 'timeouts[0].event'],
  ['a malformed duration', timeout({ after: 'soon' }), 'timeouts[0].after'],
  ['a duration of zero', timeout({ after: 0 }), 'timeouts[0].after'],
  [
    'the same timeout twice',
    spoilt({
      timeouts: [
        { state: 'created', after: '30m', event: 'EXPIRE' },
        { state: 'created', after: 1_800_000, event: 'EXPIRE' },
      ],
    }),
    'timeouts[1]',
  ],

  ['indexes that are no list', spoilt({ indexes: 'customer' }), 'indexes'],
  ['an index that is no text', spoilt({ indexes: ['a', 1] }), 'indexes[1]'],
  ['an empty index', spoilt({ indexes: [''] }), 'indexes[0]'],
  ['an index with an empty part', spoilt({ indexes: ['a..b'] }), 'indexes[0]'],
  ['an index that ends in a dot', spoilt({ indexes: ['a.'] }), 'indexes[0]'],
  ['an index of dots', spoilt({ indexes: ['.'] }), 'indexes[0]'],
  ['an index of nothing but the prefix', spoilt({ indexes: ['./'] }), 'indexes[0]'],
  [
    'too many indexes',
    spoilt({ indexes: Array.from({ length: MAX_INDEXES + 1 }, (_, i) => `i${i}`) }),
    'indexes',
  ],

  ['meta that is a list', meta([]), 'meta'],
  ['meta that is text', meta('red'), 'meta'],
  ['meta that is null', meta(null), 'meta'],
  ['a function in meta', meta({ run: () => 1 }), 'meta.run'],
  ['a symbol in meta', meta({ a: Symbol('x') }), 'meta.a'],
  ['undefined in meta', meta({ a: { b: undefined } }), 'meta.a.b'],
  ['undefined in a list in meta', meta({ a: [1, undefined] }), 'meta.a[1]'],
  ['NaN in meta', meta({ a: [Number.NaN] }), 'meta.a[0]'],
  ['Infinity in meta', meta({ a: Number.POSITIVE_INFINITY }), 'meta.a'],
  ['a date in meta', meta({ a: new Date(0) }), 'meta.a'],
  ['bytes in meta', meta({ a: new Uint8Array(2) }), 'meta.a'],
  ['a set in meta', meta({ a: new Set([1]) }), 'meta.a'],
  ['a boxed number in meta', meta({ a: Object(1) }), 'meta.a'],
  ['an error in meta', meta({ a: new Error('x') }), 'meta.a'],
  ['a bigint over 64 bits in meta', meta({ a: 2n ** 64n }), 'meta.a'],
  ['a bigint under 64 bits in meta', meta({ a: -(2n ** 63n) - 1n }), 'meta.a'],
  ['half a surrogate pair in meta', meta({ a: '\udc00' }), 'meta.a'],
  ['half a surrogate pair in a key of meta', meta({ a: { '\udc00': 1 } }), 'meta.a'],
  ['a hole in meta', meta({ a: Object.assign([1], { 2: 2 }) }), 'meta.a'],
  ['a symbol key in meta', meta({ a: { [Symbol('x')]: 1 } }), 'meta.a'],
  ['an odd key on the way', meta({ 'two words': { x: Number.NaN } }), 'meta["two words"].x'],
];

describe('MAC-1 a definition with a fault is refused, naming the field', () => {
  it.each(FAULTS)('%s', (_, definition, path) => {
    const refusal = refusalOf(() => validateDefinition(definition));
    expect(refusal.path).toBe(path);
    expect(refusal.message.length).toBeGreaterThan(10);
    expect(refusal.message.length).toBeLessThan(400);
  });

  it('a guard that does not parse says where in the guard', () => {
    const definition = rules({ ...pay, guard: 'ctx.a &&\n  ctx.b junk' });
    expect(refusalOf(() => validateDefinition(definition)).details).toMatchObject({
      path: 'transitions[0].guard',
      position: 17,
      line: 2,
      column: 9,
    });
  });
});

describe('MAC-1 what passes is brought into its normal form', () => {
  it('the good definition, whole', () => {
    expect(validateDefinition(order())).toEqual({
      name: 'order',
      version: 1,
      states: ['created', 'paid', 'shipped', 'expired'],
      initial: 'created',
      transitions: [
        { from: ['created'], event: 'PAY', to: 'paid' },
        { from: ['paid'], event: 'SHIP', to: 'shipped', guard: 'ctx.total > 0' },
        { from: ['created', 'paid'], event: 'EXPIRE', to: 'expired' },
      ],
      timeouts: [{ state: 'created', after: 1_800_000, event: 'EXPIRE' }],
      indexes: ['customer', 'address.city'],
      meta: { colour: 'red' },
    });
  });

  it('fields come in one order, whatever order they were written in', () => {
    const backwards = Object.fromEntries(Object.entries(order()).toReversed());
    expect(JSON.stringify(validateDefinition(backwards))).toBe(
      JSON.stringify(validateDefinition(order())),
    );
  });

  it('repeated states, from and indexes collapse', () => {
    const normal = validateDefinition({
      ...order(),
      states: ['created', 'paid', 'created', 'shipped', 'expired', 'paid'],
      transitions: [{ from: ['created', 'created'], event: 'EXPIRE', to: 'paid' }],
      indexes: ['a.b', 'a.b', './and', 'and'],
    });
    expect(normal.states).toEqual(['created', 'paid', 'shipped', 'expired']);
    expect(normal.transitions).toEqual([{ from: ['created'], event: 'EXPIRE', to: 'paid' }]);
    expect(normal.indexes).toEqual(['a.b', 'and']);
  });

  it('what is empty or undefined is absent', () => {
    const bare = validateDefinition({
      ...order(),
      transitions: [{ ...pay, guard: undefined }],
      timeouts: [],
      indexes: [],
      meta: undefined,
    });
    expect(Object.keys(bare)).toEqual(['name', 'version', 'states', 'initial', 'transitions']);
    expect(bare.transitions).toStrictEqual([{ from: ['created'], event: 'PAY', to: 'paid' }]);
  });

  it('a machine may have one state and nothing to do', () => {
    const still = { name: 's', version: 0, states: ['on'], initial: 'on', transitions: [] };
    expect(validateDefinition(still)).toEqual(still);
  });

  it('the normal form is valid and its own normal form', () => {
    const once = validateDefinition(order());
    expect(validateDefinition(once)).toStrictEqual(once);
  });

  it('everything is frozen through and through', () => {
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect(isFrozen(validateDefinition({ ...order(), meta: { a: [{ b: {} }] } }))).toBe(true);
  });

  it('values at a limit pass', () => {
    const normal = validateDefinition({
      ...order(),
      name: 'é'.repeat(512),
      version: 2 ** 32 - 1,
      meta: { low: -(2n ** 63n), high: 2n ** 64n - 1n, small: 5e-324, zero: 0 },
    });
    expect(normal.meta).toEqual({
      high: 2n ** 64n - 1n,
      low: -(2n ** 63n),
      small: 5e-324,
      zero: 0,
    });
    expect(validateDefinition({ ...order(), version: -0 }).version).toBe(0);
  });
});

describe('MAC-3 rules that share state and event', () => {
  const guarded = (guard: string | undefined): object => ({ ...pay, guard });

  it('stand in order, the unguarded one last', () => {
    const { transitions } = validateDefinition(
      rules(guarded('ctx.a'), guarded('ctx.b'), guarded(undefined)),
    );
    expect(transitions.map(({ guard }) => guard)).toEqual(['ctx.a', 'ctx.b', undefined]);
  });

  it.each([
    ['after an unguarded one', rules(pay, guarded('ctx.a')), 'transitions[1]'],
    ['two unguarded ones', rules(pay, pay), 'transitions[1]'],
    ['the same guard', rules(guarded('ctx.a'), guarded('ctx.a')), 'transitions[1].guard'],
    [
      'the same guard in other words',
      rules(guarded('ctx.a&&ctx.b == 1.0'), guarded('ctx.x'), guarded('((ctx.a) && ctx.b==1)')),
      'transitions[2].guard',
    ],
    ['one of several from', rules(pay, { ...pay, from: ['paid', 'created'] }), 'transitions[1]'],
  ])('one that can never be reached is refused: %s', (_, definition, path) => {
    expect(refusalOf(() => validateDefinition(definition)).path).toBe(path);
  });

  it('other states, other events and names that could run together do not meet', () => {
    const states = ['a', 'a"', 'b'];
    const transitions = [
      { from: 'a', event: '"b', to: 'b' },
      { from: 'a"', event: 'b', to: 'b' },
      { from: 'b', event: 'b', to: 'b' },
    ];
    const input = { name: 'n', version: 1, states, initial: 'a', transitions };
    expect(validateDefinition(input).transitions).toHaveLength(3);
  });
});

describe('MAC-1 sizes', () => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);
  const base = { name: 'big', version: 1, initial: 's0' };

  it('65,535 states, and as many transitions, pass', () => {
    const states = many(65_535);
    const transitions = [{ from: states, event: 'GO', to: 's0' }];
    expect(validateDefinition({ ...base, states, transitions }).states).toHaveLength(65_535);
  });

  it('one state more is refused', () => {
    const input = { ...base, states: many(65_536), transitions: [] };
    expect(refusalOf(() => validateDefinition(input)).path).toBe('states');
  });

  it('one transition more is refused, counted with one from each', () => {
    const states = many(257);
    const transitions = many(256).map((event) => ({ from: states, event, to: 's0' }));
    expect(refusalOf(() => validateDefinition({ ...base, states, transitions })).path).toBe(
      'transitions',
    );
  });
});
