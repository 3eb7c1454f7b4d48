import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/base/errors.ts';
import { exitCodeOf } from '../../../src/cli/exit-code.ts';
import { printError } from '../../../src/cli/output.ts';
import { headLine, tableLines } from '../../../src/cli/table.ts';
import { bar, count, counted, cut, painter, printable, size, time } from '../../../src/cli/text.ts';
import { fakeShell } from './fake-shell.ts';

describe('text for people', () => {
  it('counts, sizes and times are written in one way', () => {
    expect([count(1234567), counted(1, 'record'), counted(0, 'record')]).toEqual([
      '1,234,567',
      '1 record',
      '0 records',
    ]);
    expect([0, 1023, 1024, 15_360, 200 * 1024 * 1024, 5e15].map(size)).toEqual([
      '0 bytes',
      '1023 bytes',
      '1.00 KiB',
      '15.0 KiB',
      '200 MiB',
      '4547 TiB',
    ]);
    expect(time(0)).toBe('1970-01-01 00:00:00.000Z');
    expect(time(1e300)).toBe('1e+300');
  });

  it('F-77 names cannot speak to the terminal', () => {
    expect(printable('a\u001B[2Jb\u0007\n\u202Ec\u0085é😀')).toBe(
      'a\\u001b[2Jb\\u0007\\u000a\\u202ec\\u0085é😀',
    );
  });

  it('is cut at characters, not inside them', () => {
    expect([cut('abcdef', 4), cut('abcd', 4), cut('abcdef', undefined)]).toEqual([
      'abc…',
      'abcd',
      'abcdef',
    ]);
    expect(cut('😀😀😀', 2)).toBe('😀…');
    expect(cut('abc', 0)).toBe('…');
  });

  it('a bar shows the share, and a little of what is almost nothing', () => {
    expect([bar(0, 8), bar(1, 4), bar(0.5, 4), bar(0.0001, 8), bar(2, 3)]).toEqual([
      '',
      '████',
      '██',
      '▏',
      '███',
    ]);
  });

  it('is coloured only where colours are wanted', () => {
    expect(painter(fakeShell().out)('bad', 'x')).toBe('x');
    expect(painter(fakeShell({ isColoured: true }).out)('bad', 'x')).toBe('\u001B[31mx\u001B[39m');
  });
});

describe('tables', () => {
  const columns = [{ title: 'A' }, { title: 'NUMBER', align: 'right' }, { title: 'LAST' }] as const;

  it('columns are as wide as what is in them; colours take no room', () => {
    const rows = [
      ['x', '1', 'end'],
      [{ text: 'long', painted: '<long>' }, '12345678', ''],
    ];
    expect(tableLines(columns, rows)).toEqual([
      'A       NUMBER  LAST',
      'x            1  end',
      '<long>  12345678',
    ]);
  });

  it('a row may have less than all cells', () => {
    expect(tableLines(columns, [['😀']])).toEqual(['A  NUMBER  LAST', '😀']);
    expect(headLine(columns, [1, 6, 4])).toBe('A  NUMBER  LAST');
  });
});

describe('failures', () => {
  it.each([
    ['BAD_REQUEST', 2],
    ['NOT_FOUND', 3],
    ['INSTANCE_NOT_FOUND', 3],
    ['CONFLICT', 4],
    ['STORE_LOCKED', 4],
    ['CORRUPT', 1],
    ['WAL_IO_ERROR', 1],
  ] as const)('CLI-2 %s ends with %i', (code, expected) => {
    expect(exitCodeOf(new StoreError(code, 'x'))).toBe(expected);
  });

  it('CLI-2 anything else ends with 1', () => {
    expect(exitCodeOf(new TypeError('x'))).toBe(1);
  });

  it('a coded error is one block: code, message, details, and no stack', () => {
    const { err, written } = fakeShell();
    const details = { file: 'a\u0007', byteOffset: 12, offset: undefined };
    printError(err, 'table', new StoreError('CORRUPT', 'it is broken', { details }));
    expect(written.err).toBe('CORRUPT  it is broken\n  file        a\\u0007\n  byteOffset  12\n');
  });

  it('as JSON it is one line on stderr', () => {
    const { err, written } = fakeShell();
    printError(err, 'json', new StoreError('STORE_LOCKED', 'busy', { details: { pid: 7 } }));
    expect(JSON.parse(written.err)).toEqual({
      error: { code: 'STORE_LOCKED', message: 'busy', details: { pid: 7 }, retryable: false },
    });
    expect(written.err.trimEnd()).not.toContain('\n');
  });

  it('a defect shows where it is', () => {
    const { err, written } = fakeShell();
    printError(err, 'json', new TypeError('oops'));
    expect(written.err).toMatch(/TypeError: oops\n\s+at /);
    expect(written.err).toContain('defect');
  });
});
