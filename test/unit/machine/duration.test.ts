import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../src/machine/duration.ts';
import { MAX_DURATION_MS } from '../../../src/machine/limits.ts';
import { refusalOf } from './errors.ts';

describe('a duration', () => {
  it.each([
    [1, 1],
    [1500, 1500],
    ['500ms', 500],
    ['45s', 45_000],
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['PT30M', 1_800_000],
    ['PT0.5S', 500],
    ['PT1,25S', 1250],
    ['P1DT2H3M4S', 93_784_000],
    ['P2W', 1_209_600_000],
    ['P7D', 604_800_000],
    ['PT36H', 129_600_000],
    [MAX_DURATION_MS, MAX_DURATION_MS],
  ])('%s lasts %d ms', (text, ms) => {
    expect(parseDuration(text, 'after')).toBe(ms);
  });

  it.each([
    0,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    MAX_DURATION_MS + 1,
    5n,
    null,
    undefined,
    true,
    {},
    [],
    '',
    ' ',
    '30',
    '30 m',
    ' 30m',
    '30m ',
    '-30m',
    '+30m',
    '1.5h',
    '1h30m',
    '30M',
    '0m',
    '30min',
    '1y',
    'm',
    'P',
    'PT',
    'P1',
    'P1Y',
    'P1M',
    'P1DT',
    'PT1',
    'PT.5S',
    'PT1.5M',
    'PT0.0001S',
    '-PT1S',
    'P1W2D',
    'pt30m',
    'PT1S1M',
    'PT0S',
    'P99999D',
    '9999999999999999999999d',
    '1e3',
    '٣٠m',
  ])('%s is none', (value) => {
    expect(refusalOf(() => parseDuration(value, 'after')).path).toBe('after');
  });
});
