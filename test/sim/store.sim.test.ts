/**
 * The whole engine on a simulated machine: runs of several lives with a crash between them, every
 * answer and every crash state compared with a plain model (F-0a, F-0b, F-0c, F-0d, F-1 to F-17, with
 * F-10, F-11, F-12 and F-13 in the middle of snapshots and of dropping log; F-20 to F-25, F-27, F-28,
 * F-32 to F-44, F-50), and the states that were wrong once (F-108). The long campaign is `npm run crash`.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeResult, describeViolation } from './campaign.ts';
import { choicesFrom, seededChoices } from './choices.ts';
import { PHASES } from './phases.ts';
import { replayStore, runStoreCampaign } from './store-campaign.ts';
import { type Record, runLives } from './store-run.ts';

const SEED = 20_261_120;
const STATES = 20_000;
/** Half a minute on a core of its own; this machine may have other things to do. */
const PATIENCE_MS = 900_000;

describe('a store that crashes', () => {
  it(
    'holds what was promised in every crash state of a short campaign',
    { timeout: PATIENCE_MS },
    async () => {
      const result = await runStoreCampaign({ seed: SEED, states: STATES });
      expect(result.violations.map(describeViolation).join('\n'), describeResult(result)).toBe('');
      expect(result.distinct).toBeGreaterThanOrEqual(STATES);
      expect(result.faults).toBeGreaterThan(0);
      expect(result.damages).toBeGreaterThan(0);
      for (const phase of PHASES) expect([phase, result.phases?.[phase]]).not.toEqual([phase, 0]);
      expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(PROTOTYPE);
    },
  );

  it(
    'answers any commands as the model does, from life to life',
    { timeout: PATIENCE_MS },
    async () => {
      const tape = fc.array(fc.nat(2 ** 31), { minLength: 10, maxLength: 400 });
      const run = async (numbers: readonly number[], seed: number): Promise<void> => {
        const choose = choicesFrom(numbers);
        const visit = async (): Promise<void> => undefined;
        await runLives({ seed, choose, lives: 2, bursts: 8, hasFaults: seed % 2 === 1 }, visit);
      };
      await fc.assert(fc.asyncProperty(tape, fc.nat(1000), run), { seed: SEED, numRuns: 60 });
    },
  );

  it.each([3, 4, 5, 7])('writes the same bytes for the same seed (%i)', async (seed) => {
    const once = async (): Promise<string[]> => {
      const lives: string[] = [];
      const visit = async ({ disk, commands, found }: Record): Promise<void> => {
        const facts = [disk.image.digest(), disk.journal.length, disk.calls, commands, found];
        lives.push(facts.join());
      };
      const choose = seededChoices(seed);
      await runLives({ seed, choose, lives: 3, bursts: 20, hasFaults: seed % 3 === 0 }, visit);
      return lives;
    };
    expect(await once()).toEqual(await once());
  });

  it.each(tokens())('is right in %s', { timeout: PATIENCE_MS }, async (token) => {
    expect(await replayStore(token)).toBeUndefined();
  });
});

const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype);

/** Of the stores: a line that is no comment is a token. */
function tokens(): string[] {
  const text = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line.startsWith('store/'));
}
