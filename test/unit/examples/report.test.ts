/** What the demo prints: numbers, bars and tables that stay within their columns. */
import { describe, expect, it } from 'vitest';
import * as report from '../../../docs/examples/traffic-fines/report.ts';

describe('numbers as text', () => {
  it('writes counts, sizes and times in units people read', () => {
    expect(report.formatCount(34_724)).toBe('34,724');
    expect(report.formatBytes(0)).toBe('0 bytes');
    expect(report.formatBytes(1023)).toBe('1,023 bytes');
    expect(report.formatBytes(1536)).toBe('1.5 KiB');
    expect(report.formatBytes(300 * 1024 ** 2)).toBe('300 MiB');
    expect(report.formatMs(3.21)).toBe('3.2 ms');
    expect(report.formatMs(41.6)).toBe('42 ms');
    expect(report.formatMs(1234)).toBe('1.23 s');
    expect(report.plural(1, 'case')).toBe('1 case');
    expect(report.plural(0, 'byte')).toBe('0 bytes');
  });

  it('writes days before 1970 too', () => {
    expect(report.formatDay(Date.UTC(1948, 0, 26))).toBe('1948-01-26');
  });

  it('gives no speed for no time', () => {
    expect(report.perSecond(10, 0)).toBe(0);
    expect(report.perSecond(500, 250)).toBe(2000);
  });
});

describe('the progress line', () => {
  it('says how far and how fast', () => {
    const line = report.progressLine(250, 1000, 500);
    expect(line).toContain(' 25 %');
    expect(line).toContain('250 of 1,000');
    expect(line).toContain('500/s');
    expect(line.split('█')).toHaveLength(6);
  });

  it('does not say 100 before the end', () => {
    expect(report.progressLine(999, 1000, 1)).toContain(' 99 %');
  });
});

describe('bars', () => {
  it('puts the largest first and leaves out empty states', () => {
    const lines = report.barLines(
      [
        { label: 'new', count: 0 },
        { label: 'paid', count: 10 },
        { label: 'sent to collection', count: 1000 },
      ],
      80,
    );
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ {3}sent to collection {2}1,000 {2}█+$/);
    expect(lines[1]).toMatch(/^ {3}paid {19}10 {2}.$/);
  });

  it('sums up what it does not show, and loses no case', () => {
    const bars = Array.from({ length: 40 }, (_, index) => ({
      label: `s${index}`,
      count: 40 - index,
    }));
    const lines = report.barLines(bars, 80);
    expect(lines.at(-1)).toBe('   26 more states: 351');
    expect(lines).toHaveLength(15);
  });

  it('stays within the columns it has, with labels of any length', () => {
    const lines = report.barLines([{ label: 'x'.repeat(1024), count: 123_456 }], 60);
    expect(lines[0]?.length).toBeLessThanOrEqual(60);
    expect(lines[0]).toContain('…');
  });

  it('draws nothing for nothing', () => {
    expect(report.barLines([], 80)).toEqual([]);
  });
});

describe('the table', () => {
  it('aligns names to the left and values to the right', () => {
    const lines = report.factLines([
      { name: 'events/s', value: '36,123', note: 'durable' },
      { name: 'disk', value: '9', note: '' },
    ]);
    expect(lines).toEqual(['   events/s  36,123  durable', '   disk           9']);
  });
});
