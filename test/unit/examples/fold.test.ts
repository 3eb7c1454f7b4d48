/** The fold: what every case must look like in the end. */
import { describe, expect, it } from 'vitest';
import { foldLog } from '../../../docs/examples/traffic-fines/fold.ts';
import type { LogEvent } from '../../../docs/examples/traffic-fines/log-file.ts';

function event(activity: string, at: number, attrs: Record<string, unknown>, seq = 0): LogEvent {
  return { activity, at, attrs, seq };
}

describe('folding a log', () => {
  it('ends in the last activity, with later attributes over earlier ones', () => {
    const folded = foldLog([
      {
        id: 'A1',
        events: [
          event('create', 10, { amount: 35, points: { left: 20 } }),
          event('pay', 20, { points: { lost: 1 }, paid: true }, 7),
        ],
      },
    ]);
    expect(folded.get('A1')).toEqual({
      state: 'pay',
      context: { amount: 35, points: { lost: 1 }, paid: true },
      createdAt: 10,
      updatedAt: 20,
      lastEventId: '7',
    });
  });

  it('never lets times run backwards within a case', () => {
    const folded = foldLog([
      { id: 'A1', events: [event('a', -5, {}), event('b', 30, {}), event('c', 20, {})] },
    ]);
    expect(folded.get('A1')).toMatchObject({ createdAt: -5, updatedAt: 30, state: 'c' });
  });

  it('takes a field named __proto__ as data', () => {
    const attrs = JSON.parse('{"__proto__":{"x":1}}');
    const context = foldLog([{ id: 'A1', events: [event('a', 0, attrs)] }]).get('A1')?.context;
    expect(Object.keys(context ?? {})).toEqual(['__proto__']);
  });
});
