/** The comparison: finds every kind of difference, and only differences. */
import type { Instance, InstanceReads } from 'pawl';
import { describe, expect, it } from 'vitest';
import { compareWithFold } from '../../../docs/examples/traffic-fines/compare.ts';
import type { FoldedCase } from '../../../docs/examples/traffic-fines/fold.ts';

const CASE: FoldedCase = {
  state: 'pay',
  context: { amount: 35, article: { number: 157, letters: ['a', 'b'] } },
  createdAt: 10,
  updatedAt: 20,
  lastEventId: '1',
};

function reads(
  ...instances: Partial<Instance>[]
): Pick<InstanceReads, 'get' | 'iterate' | 'count'> {
  const stored = instances.map((instance) => Object.assign({ id: 'A1' }, instance) as Instance);
  return {
    get: (id) => stored.find((instance) => instance.id === id),
    iterate: () => stored.values(),
    count: () => stored.length,
  };
}

describe('comparing with the fold', () => {
  const expected = new Map([['A1', CASE]]);

  it('finds nothing where all is equal, in whatever order the keys come', () => {
    const context = { article: { letters: ['a', 'b'], number: 157 }, amount: 35 };
    expect(compareWithFold(expected, reads({ ...CASE, context }))).toEqual({
      differing: 0,
      stored: 1,
      first: [],
    });
  });

  it.each<[string, Partial<Instance>]>([
    ['state', { state: 'create' }],
    ['createdAt', { createdAt: 11 }],
    ['updatedAt', { updatedAt: 21 }],
    ['lastEventId', { lastEventId: '2' }],
    ['context.amount', { context: { ...CASE.context, amount: '35' } }],
    ['context.amount', { context: { ...CASE.context, amount: 35n } }],
    ['context.paid', { context: { ...CASE.context, paid: undefined } }],
    ['context.amount', { context: { article: CASE.context['article'] } }],
    ['context.article', { context: { amount: 35, article: null } }],
    ['context.article.letters', { context: { amount: 35, article: { number: 157, letters: {} } } }],
    [
      'context.article.letters.1',
      { context: { amount: 35, article: { number: 157, letters: ['a'] } } },
    ],
  ])('names the field that differs: %s', (path, change) => {
    const { differing, first } = compareWithFold(expected, reads({ ...CASE, ...change }));
    expect(differing).toBe(1);
    expect(first[0]).toMatchObject({ id: 'A1', path });
  });

  it('finds a missing case and one too much', () => {
    const { differing, stored, first } = compareWithFold(expected, reads({ ...CASE, id: 'A2' }));
    expect({ differing, stored }).toEqual({ differing: 2, stored: 1 });
    expect(first.map(({ id, path }) => [id, path])).toEqual([
      ['A1', ''],
      ['A2', ''],
    ]);
  });

  it('counts all differing cases and shows the first ten', () => {
    const many = new Map(Array.from({ length: 25 }, (_, index) => [`A${index}`, CASE]));
    const { differing, first } = compareWithFold(many, reads());
    expect(differing).toBe(25);
    expect(first).toHaveLength(10);
  });
});
