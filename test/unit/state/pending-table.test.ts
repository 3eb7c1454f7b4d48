/** PendingTable against a list of pairs: few numbers, so that they collide, and many additions and removals. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PendingInstance } from '../../../src/state/pending-instance.ts';
import { PendingTable } from '../../../src/state/pending-table.ts';

function instance(id: string): PendingInstance {
  const made = new PendingInstance();
  made.id = id;
  return made;
}

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.integer({ min: -20, max: 60 }) }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
  ),
  { maxLength: 400 },
);

test('whatever enters and leaves, each is found under its number and id, and nothing else', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 64, 0x01000193), (all, stride) => {
      const table = new PendingTable();
      const model: { key: number; item: PendingInstance }[] = [];
      for (const [index, step] of all.entries()) {
        if ('add' in step) {
          const one = { key: Math.imul(step.add, stride), item: instance(`id-${index}`) };
          model.push(one);
          table.add(one.key, one.item);
        } else if (model.length > 0) {
          const [gone] = model.splice(step.remove % model.length, 1);
          if (gone === undefined) throw new Error('there is one to remove');
          table.remove(gone.key, gone.item);
          expect(table.find(gone.key, gone.item.id)).toBe(undefined);
        }
        expect(table.size).toBe(model.length);
        for (const { key, item } of model) expect(table.find(key, item.id)).toBe(item);
      }
      expect(new Set(table.all())).toEqual(new Set(model.map(({ item }) => item)));
      for (let key = -25; key < 65; key++) {
        const there = model.filter((one) => one.key === Math.imul(key, stride));
        const found = table.get(Math.imul(key, stride));
        expect(
          found === undefined ? there.length === 0 : there.some((one) => one.item === found),
        ).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test('numbers of 32 bits are found, also those above 2^31, and a table that was large starts small again', () => {
  const table = new PendingTable();
  const items = Array.from({ length: 20_000 }, (_, i) => instance(String(i)));
  for (const [i, item] of items.entries()) table.add(2 ** 32 - 2 - i, item);
  for (const [i, item] of items.entries()) expect(table.get(2 ** 32 - 2 - i)).toBe(item);
  for (const [i, item] of items.entries()) table.remove(2 ** 32 - 2 - i, item);
  expect([table.size, [...table.all()]]).toEqual([0, []]);
  const [first] = items as [PendingInstance];
  table.add(7, first);
  expect(table.get(7)).toBe(first);
});
