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
    ['snapshotInterval', 'sometimes'],
    ['snapshotInterval', -1],
    ['snapshotInterval', 1.5],
    ['maxWalSegments', 0],
    ['maxWalBytes', 0],
    ['maxWalBytes', '1 MB'],
    ['compaction', 1],
    ['archive', 'yes'],
    ['keepSnapshots', 0],
    ['keepSnapshots', Infinity],
    ['verifyOnOpen', 'never'],
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

  it('snapshots have defaults, and their bounds are taken', () => {
    expect(settingsOf({}, false)).toMatchObject({
      verifyOnOpen: 'lazy',
      snapshots: {
        interval: 'auto',
        maxWalSegments: Infinity,
        maxWalBytes: Infinity,
        isCompacting: true,
        isArchiving: false,
        keep: 2,
      },
    });
    const { snapshots } = settingsOf(
      { snapshotInterval: 0, maxWalSegments: 1, maxWalBytes: 1, keepSnapshots: 1 },
      false,
    );
    expect(snapshots).toMatchObject({ interval: 0, maxWalSegments: 1, maxWalBytes: 1, keep: 1 });
    expect(settingsOf({ snapshotInterval: Infinity }, false).snapshots.interval).toBe(Infinity);
  });

  it('a clock needs to tell the time, whatever else it cannot do', () => {
    const clock = { now: () => 7 };
    expect(settingsOf({ clock: clock as never }, false).clock).toBe(clock);
  });
});
