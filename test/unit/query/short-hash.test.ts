import { expect, it } from 'vitest';
import { shortHash } from '../../../src/query/short-hash.ts';

it('is 16 digits, the same for the same text', () => {
  for (const text of ['', 'a', 'é', '😀', 'x'.repeat(10_000)]) {
    expect(shortHash(text)).toMatch(/^[0-9a-f]{16}$/);
    expect(shortHash(text)).toBe(shortHash(text));
  }
});

it('tells texts apart that differ a little, in either half', () => {
  const whole = new Set<string>();
  const halves = [new Set<string>(), new Set<string>()];
  const base = '["store-id","updatedAt","updatedAt",true,"[\\"order\\",null,[\\"paid\\"]] true"]';
  let texts = 0;
  for (let i = 0; i < base.length; i++) {
    for (let unit = 32; unit < 400; unit++) {
      if (unit === base.charCodeAt(i)) continue;
      const hash = shortHash(base.slice(0, i) + String.fromCharCode(unit) + base.slice(i + 1));
      whole.add(hash);
      halves[0]?.add(hash.slice(0, 8));
      halves[1]?.add(hash.slice(8));
      texts++;
    }
  }
  expect(whole.size).toBe(texts);
  // Chance alone lets about texts² / 2^33 meet, less than one here.
  for (const half of halves) expect(half.size).toBeGreaterThan(texts - 8);
});
