import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FreeHandles } from '../../../src/base/free-handles.ts';

/** A plain set of handles in use; the lowest handle outside it comes next. */
class Model {
  readonly used = new Set<number>();

  next(): number {
    let handle = 0;
    while (this.used.has(handle)) handle++;
    return handle;
  }
}

type Step =
  | 'take'
  | { release: number }
  | { claim: number }
  | { rollback: number }
  | { keep: number };
const steps = fc.array<Step>(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('take' as const) },
    { weight: 4, arbitrary: fc.record({ release: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ claim: fc.nat(3000) }) },
    { weight: 1, arbitrary: fc.record({ rollback: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ keep: fc.nat(20) }) },
  ),
  { maxLength: 200 },
);

function takeSome(handles: FreeHandles, count: number): number[] {
  return Array.from({ length: count }, () => handles.take());
}

test('the lowest free handle is always next, whatever was taken, freed, claimed and undone', () => {
  fc.assert(
    fc.property(steps, (commands) => {
      const handles = new FreeHandles();
      const model = new Model();
      for (const step of commands) {
        if (step === 'take') {
          const expected = model.next();
          assert.equal(handles.take(), expected);
          model.used.add(expected);
        } else if ('release' in step) {
          const used = [...model.used];
          const handle = used[step.release % used.length];
          if (handle === undefined) continue;
          handles.release(handle);
          model.used.delete(handle);
        } else if ('claim' in step) {
          if (model.used.has(step.claim)) continue;
          handles.claim(step.claim);
          model.used.add(step.claim);
        } else {
          const [fresh, freeCount] = [handles.fresh, handles.freeCount];
          const mark = handles.mark();
          const taken = takeSome(handles, 'keep' in step ? step.keep : step.rollback);
          if ('keep' in step) {
            handles.forget(mark);
            for (const handle of taken) model.used.add(handle);
          } else {
            handles.rollback(mark);
            assert.deepEqual([handles.fresh, handles.freeCount], [fresh, freeCount]);
          }
        }
        expect(handles.peekNext()).toBe(model.next());
        expect(handles.fresh - handles.freeCount).toBe(model.used.size);
      }
    }),
  );
});

test('an inner mark that was kept is undone with the outer one', () => {
  const handles = new FreeHandles();
  takeSome(handles, 10);
  handles.release(4);
  const outer = handles.mark();
  expect(takeSome(handles, 2)).toEqual([4, 10]);
  const inner = handles.mark();
  expect(handles.take()).toBe(11);
  handles.forget(inner);
  handles.rollback(outer);
  expect(takeSome(handles, 2)).toEqual([4, 10]);
});

test('what was kept is forgotten, and stays taken when a later mark is undone', () => {
  const handles = new FreeHandles();
  takeSome(handles, 3);
  const kept = handles.mark();
  takeSome(handles, 3);
  handles.forget(kept);
  const undone = handles.mark();
  expect(undone).toBe(kept);
  handles.rollback(undone);
  expect(handles.take()).toBe(6);
});

test('a handle freed twice, never taken, or claimed while in use is refused', () => {
  const handles = new FreeHandles();
  takeSome(handles, 5);
  handles.release(2);
  expect(() => handles.release(2)).toThrow('released once');
  expect(() => handles.release(5)).toThrow('in use');
  expect(() => handles.claim(3)).toThrow('only a free handle');
  const mark = handles.mark();
  expect(() => handles.claim(2)).toThrow('under a mark');
  handles.rollback(mark);
  expect(() => handles.rollback(mark)).toThrow('latest first');
});

test('a hundred thousand free handles come back in order from a few kilobytes', () => {
  const handles = new FreeHandles();
  const count = 100_000;
  takeSome(handles, count);
  expect(handles.memoryBytes).toBe(0);
  for (let i = 0; i < count; i++) handles.release((i * 7919) % count);
  expect(handles.memoryBytes).toBeLessThan(count / 4);
  expect(takeSome(handles, count).every((handle, i) => handle === i)).toBe(true);
  expect(handles.take()).toBe(count);
});
