/** The context of an instance is Object.assign over its payloads: INS-2, D-3, F-73, against plain JavaScript. */
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { Store } from 'pawl';
import { merged, objectOf, objects, values } from '../../value/values.ts';
import { type Open, seen, withDoor } from './contract.ts';

/** Own fields as data, so that `__proto__` is one of them and -0 is not 0. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null)
    return Object.is(value, -0) ? 'minus zero' : value;
  const entries = Object.entries(value).map(([key, item]) => [key, plain(item)] as const);
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function after(context: Record<string, unknown>, payload: unknown): Record<string, unknown> {
  const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  return isObject ? merged(context, payload as Record<string, unknown>) : context;
}

/** More fields with every event, a few of them replaced. */
const growing = fc
  .array(fc.tuple(fc.nat(120), values), { minLength: 1, maxLength: 12 })
  .map((fields) => objectOf(fields.map(([n, value]) => [`field-${n}`, value])));
const payloads = fc.oneof(
  { weight: 4, arbitrary: objects },
  { weight: 4, arbitrary: growing },
  { weight: 1, arbitrary: values },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
/** What happens within one turn, turn by turn. */
const turns = fc.array(fc.array(payloads, { minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 10,
});

type Apply = (
  store: Store,
  payloads: readonly unknown[],
) => Promise<readonly { context: unknown }[]>;

const WAYS: readonly (readonly [string, Apply])[] = [
  [
    'singly',
    (store, list) =>
      Promise.all(list.map((payload) => store.instances.apply('d', 'PUSH', payload))),
  ],
  [
    'in a batch',
    (store, list) =>
      store.batch(
        list.map((payload) => ({ op: 'apply', id: 'd', event: 'PUSH', payload }) as const),
      ),
  ],
  [
    'in a transaction',
    async (store, list) =>
      (
        await store.transaction((tx) =>
          list.map((payload) => tx.instances.apply('d', 'PUSH', payload)),
        )
      ).value,
  ],
];

export function contextModelCases(open: Open, runs: number): void {
  describe('contexts', () => {
    test.each(WAYS)(
      'INS-2 every result and every read is the shallow merge so far, events %s',
      async (_, apply) => {
        const property = fc.asyncProperty(objects, turns, async (initial, steps) => {
          const store = await withDoor(open);
          let model = initial;
          const created = store.instances.create({ machine: 'door', id: 'd', context: initial });
          for (const [i, step] of steps.entries()) {
            const expected = step.map((payload) => (model = after(model, payload)));
            const results = await apply(store, step);
            expect(results.map((one) => plain(one.context))).toEqual(expected.map(plain));
            if (i === 0) expect(plain((await created).context)).toEqual(plain(initial));
            expect(plain(seen(store, 'd').context)).toEqual(plain(model));
          }
          const [listed] = store.instances.find().items;
          expect(plain(listed?.context)).toEqual(plain(model));
          await store.close();
        });
        await fc.assert(property, { numRuns: runs });
      },
    );

    test('D-3 a context grows far beyond 64 fields, one at a time, and shrinks to null', async () => {
      const store = await withDoor(open);
      await store.instances.create({ machine: 'door', id: 'd' });
      const model: Record<string, unknown> = {};
      for (let n = 0; n < 300; n++) {
        model[`ключ-${n % 200}`] = n % 7 === 0 ? null : { n, text: '😀'.repeat(n % 5) };
        const done = await store.instances.apply('d', 'PUSH', {
          [`ключ-${n % 200}`]: model[`ключ-${n % 200}`],
        });
        expect(done.context).toEqual(model);
      }
      expect(seen(store, 'd').context).toEqual(model);
    });

    test('D-3 many instances with contexts of all shapes do not disturb each other', async () => {
      const store = await withDoor(open);
      const samples = fc.sample(objects, { numRuns: 300, seed: 7 });
      const more = fc.sample(growing, { numRuns: 300, seed: 8 });
      await Promise.all(
        samples.map((context, i) =>
          store.instances.create({ machine: 'door', id: `${i}`, context }),
        ),
      );
      await Promise.all(
        more.map((payload, i) => store.instances.apply(`${(i * 7) % 300}`, 'PUSH', payload)),
      );
      const model = samples.slice();
      for (const [i, payload] of more.entries()) {
        const at = (i * 7) % 300;
        model[at] = after(model[at] as Record<string, unknown>, payload);
      }
      for (const [i, context] of model.entries())
        expect(plain(seen(store, `${i}`).context)).toEqual(plain(context));
    });
  });
}
