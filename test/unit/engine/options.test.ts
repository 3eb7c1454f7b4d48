/** Options of a store: what is refused, and where the error says it is. */
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../../src/engine/options.ts';

describe('options', () => {
  it.each([
    ['clock', {}],
    ['clock', null],
    ['clock', () => 1],
    ['random', { bytes: 16 }],
    ['logger', 'console'],
    ['fileIo', { kind: 'disk' }],
    ['durability', 'sometimes'],
    ['segmentBytes', 4095],
    ['maxPending', 0],
    ['blockingSync', 'yes'],
    ['colour', 'red'],
  ])('%s: %j is refused by name', (name, value) => {
    const refused = (): unknown => settingsOf({ [name]: value }, false);
    expect(refused).toThrow(
      expect.objectContaining({
        code: 'BAD_REQUEST',
        details: expect.objectContaining({ path: `options.${name}` }) as unknown,
      }),
    );
  });

  it('what later versions bring is taken as it is today, and refused otherwise', () => {
    expect(() =>
      settingsOf({ snapshotInterval: 0, verifyOnOpen: 'full' } as never, false),
    ).not.toThrow();
    expect(() => settingsOf({ snapshotInterval: 5 } as never, false)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    );
  });

  it('a clock needs to tell the time, whatever else it cannot do', () => {
    const clock = { now: () => 7 };
    expect(settingsOf({ clock: clock as never }, false).clock).toBe(clock);
  });
});
