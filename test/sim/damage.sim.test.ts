/**
 * Damage at rest, the short form of what `npm run crash -- --only damage --exhaustive` does to the
 * last bit: small stores, every bit of their structures, one of other bytes, and all other kinds
 * of damage, read, opened and repaired.
 */
import { describe, expect, it } from 'vitest';
import { replayDamage, runDamageCampaign } from './damage-campaign.ts';
import { damaged } from './damage-ops.ts';
import { makeSample, SAMPLES } from './damage-sample.ts';
import { structure } from './damage-plans.ts';

describe('damage at rest', () => {
  it(
    'F-20 F-21 F-22 F-23 F-24 F-25 F-26 F-28 F-31 is found, or does no harm, or is a torn end and reported',
    { timeout: 600_000 },
    async () => {
      const result = await runDamageCampaign({ seed: 3 });
      expect(result.violations).toEqual([]);
      expect(result.runs).toBe(SAMPLES.length);
      expect(result.damages).toBeGreaterThan(60_000);
    },
  );

  it('a token does the same damage again', { timeout: 60_000 }, async () => {
    expect(await replayDamage('damage/closed-small/3/flip:00000001.wal:70:1')).toBeUndefined();
    expect(await replayDamage('damage/killed-small/3/gone:manifest')).toBeUndefined();
    for (const token of ['damage/closed-small/3/', 'damage/none-small/3/gone:manifest', 'damage/'])
      await expect(replayDamage(token)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    const unknown = replayDamage('damage/closed-small/3/gone:00000077.wal');
    await expect(unknown).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe('what damage is done to', () => {
  it('has several segments, frames with records in each, and a relative that differs late', async () => {
    const sample = await makeSample('closed', 3, false);
    expect(sample.segments.length).toBeGreaterThan(2);
    const twin = await makeSample('closed', 3, false, 'twin');
    expect(twin.frames.map(({ at }) => at)).toEqual(sample.frames.map(({ at }) => at));
    expect(twin.files).not.toEqual(sample.files);
    expect(structure(sample, '/db/00000001.wal', 100)).toBe(true);
  });

  it('is not changed itself', async () => {
    const { files } = await makeSample('closed', 3, false);
    const before = new Map([...files].map(([path, bytes]) => [path, bytes.slice()]));
    const ops = 'flip:manifest:9:1+zero:00000001.wal:0:99+swap:00000001.wal:00000002.wal';
    expect(damaged(files, ops, () => files)).not.toEqual(before);
    expect(files).toEqual(before);
  });
});
