/**
 * The log reader: cases in order of appearance, events in file order, and a line number in every
 * complaint.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseLog, readLogFile } from '../../../docs/examples/traffic-fines/log-file.ts';

function line(id: string, activity: string, fields: object = {}): string {
  return JSON.stringify({
    case: id,
    seq: 0,
    activity,
    ts: '2020-01-01T00:00:00.000Z',
    attrs: {},
    ...fields,
  });
}

function parse(...lines: string[]): ReturnType<typeof parseLog> {
  return parseLog(Buffer.from(lines.join('\n')));
}

describe('parsing a log', () => {
  it('gathers interleaved cases in order of appearance, events in file order', () => {
    const cases = parse(line('b', 'one'), line('a', 'two'), line('b', 'three'));
    expect(cases.map(({ id, events }) => [id, events.map(({ activity }) => activity)])).toEqual([
      ['b', ['one', 'three']],
      ['a', ['two']],
    ]);
  });

  it('keeps file order where times repeat or run backwards, and times before 1970', () => {
    const [only] = parse(
      line('a', 'one', { ts: '1948-01-26T22:59:00.000Z' }),
      line('a', 'two', { ts: '1948-01-26T22:59:00.000Z' }),
      line('a', 'three', { ts: '1947-12-31T23:00:00+01:00' }),
    );
    expect(only?.events.map(({ at }) => at)).toEqual([
      Date.UTC(1948, 0, 26, 22, 59),
      Date.UTC(1948, 0, 26, 22, 59),
      Date.UTC(1947, 11, 31, 22),
    ]);
  });

  it('reads all events of the first cases when limited', () => {
    const log = [line('a', 'one'), line('b', 'two'), line('c', 'three'), line('a', 'four')];
    const cases = parseLog(Buffer.from(log.join('\n')), 2);
    expect(cases.map(({ id, events }) => [id, events.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('takes blank lines, carriage returns, line separators inside text and a missing end', () => {
    const cases = parse('', `${line('a\u2028b', 'one')}\r`, '  ', line('a\u2028b', 'two'));
    expect(cases).toHaveLength(1);
    expect(cases[0]?.events).toHaveLength(2);
  });

  it.each([
    ['no JSON', '{', /line 2 is not JSON/],
    ['a list', '[]', /line 2 is not a JSON object/],
    ['no case', line('a', 'one', { case: undefined }), /line 2: `case`/],
    ['a numeric activity', line('a', 'one', { activity: 1 }), /line 2: `activity`/],
    ['no seq', line('a', 'one', { seq: null }), /line 2: `seq`/],
    ['a time that is none', line('a', 'one', { ts: 'yesterday' }), /line 2: `ts`/],
    ['attributes in a list', line('a', 'one', { attrs: [] }), /line 2: `attrs`/],
  ])('names the line with %s', (_, wrong, message) => {
    expect(() => parse(line('a', 'one'), wrong)).toThrow(message);
  });

  it('refuses a log without events', () => {
    expect(() => parse('', '')).toThrow(/no events/);
  });
});

describe('reading a log file', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pawl-log-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('reads compressed and plain files alike, whatever their names', async () => {
    const plain = join(directory, 'log.gz');
    const compressed = join(directory, 'log.ndjson');
    writeFileSync(plain, line('a', 'one'));
    writeFileSync(compressed, gzipSync(line('a', 'one')));
    expect(await readLogFile(plain)).toEqual(await readLogFile(compressed));
  });

  it('names the file in what it complains about', async () => {
    const path = join(directory, 'broken');
    writeFileSync(path, 'x');
    await expect(readLogFile(path)).rejects.toThrow(/broken: line 1/);
  });
});
