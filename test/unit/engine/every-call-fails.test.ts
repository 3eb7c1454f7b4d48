/**
 * F-104: every file call of a store's life fails, with every error it can plausibly end with, in
 * every way: once, for a while, for good; before it takes effect, after it, half way. The usual run
 * takes errors of each class for each call; PAWL_FAULTS=all takes all of them in all ways.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultsOf, injectAll } from './faults/campaign.ts';
import { CALL_KINDS, type CallKind } from './faults/plausible.ts';
import { SCENARIOS } from './faults/scenario.ts';
import { releaseTime, stopTime } from './faults/still-time.ts';

const IS_COMPLETE = process.env['PAWL_FAULTS'] === 'all';
/** Only to end what hangs without ever giving the thread back. */
const TIMEOUT_MS = IS_COMPLETE ? 3_600_000 : 120_000;
/** Failures worth reading at once. */
const SHOWN = 20;

beforeAll(stopTime);
afterAll(releaseTime);

test.each(SCENARIOS)(
  'F-104 F-32 F-33 F-36 F-37 F-38 F-39 F-40 F-43 F-44 every call fails: $name',
  async (scenario) => {
    const { name } = scenario;
    const result = await injectAll(scenario, IS_COMPLETE);
    const { failures, calls, runs, acked, refused, unknown } = result;
    if (IS_COMPLETE)
      console.log(
        `${name}: ${calls} calls, ${runs} runs, ${failures.length} failures; ` +
          `${acked} acknowledged, ${refused} refused, ${unknown} unknown`,
      );
    expect(failures.slice(0, SHOWN), `${failures.length} of ${runs} runs`).toEqual([]);
    // Whatever is never told is not tested.
    expect(Math.min(acked, refused, unknown)).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test('F-104 the runs make every call there is, over several segments, and each call fails', async () => {
  const missing = new Set<CallKind>(CALL_KINDS);
  for (const scenario of SCENARIOS) {
    const { calls, faults } = await faultsOf(scenario, await scenario.start(), false);
    for (const { kind } of calls) missing.delete(kind);
    expect(new Set(faults.map((fault) => fault.at)).size).toBe(calls.length);
    const written = calls.filter(({ kind, path }) => kind === 'write' && path.endsWith('.wal'));
    expect(new Set(written.map(({ path }) => path)).size).toBeGreaterThan(1);
  }
  // Only a repair cuts files.
  expect([...missing]).toEqual(['truncate']);
});
