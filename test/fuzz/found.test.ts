/**
 * What the fuzz tests found, each told and tried by itself: logs whose checksums hold and whose
 * content no log would write. All are CORRUPT with a place; none may crash, hang, or open.
 */
import { expect, test } from 'vitest';
import { openStore } from '../../src/index.ts';
import { decodeDefinition } from '../../src/record/definition-codec.ts';
import { fromJson } from '../../src/value/json.ts';
import { FRAME, LINK, SEGMENT_HEADER } from '../../wal/format.ts';
import { paddedLength } from '../../wal/frame.ts';
import type { Files } from '../unit/wal/damages.ts';
import { SimDisk } from 'pawl/testing';
import { DIRECTORY, imageOf, filesOf, logOf, payloadOf, reseal } from './log-image.ts';

const purge = { bytes: Uint8Array.of(7, 0, 0, 0), endsCommit: true };
const FIRST_DATA: number = SEGMENT_HEADER.size + FRAME.size + LINK.size;

async function refusal(files: Files): Promise<unknown> {
  const { fileIo } = SimDisk.of(files);
  return openStore(DIRECTORY, { fileIo, readOnly: true }).then(
    () => 'opened',
    (error: unknown) => error,
  );
}

/** A log of two records with something in the header of their frame replaced, and sealed again. */
function withField(field: number, value: number): Files {
  const files = logOf([payloadOf([purge, purge])], [2]);
  const segment = files.get('/db/00000001.wal') as Uint8Array;
  new DataView(segment.buffer).setUint32(FIRST_DATA + field, value, true);
  return filesOf(reseal((below) => below - 1, imageOf(files)));
}

// Rounding the length up to a multiple of 8 went through 32 signed bits: a negative length, then a
// RangeError from the checksum; the largest ones became 0, and the payload reached beyond the file.
test('F-71 lengths beyond 2^31 stay what they are', async () => {
  expect(paddedLength(2 ** 32 - 1)).toBe(2 ** 32);
  expect(paddedLength(2 ** 31 + 1)).toBe(2 ** 31 + 8);
  expect([0, 1, 8, 9].map(paddedLength)).toEqual([0, 8, 8, 16]);
  for (const length of [2 ** 31 + 1, 2 ** 32 - 1])
    expect(await refusal(withField(FRAME.payloadLength, length))).toMatchObject({
      code: 'CORRUPT',
    });
});

// A header could count other records than its payload held: offsets went on from the count, the
// store from its records, and the first write broke an invariant.
test.each([1, 3, 2 ** 32 - 1])(
  'F-71 a frame of two records that says %d is damage',
  async (count) => {
    expect(await refusal(withField(FRAME.recordCount, count))).toMatchObject({ code: 'CORRUPT' });
  },
);

// A place that lies ahead was believed: everything behind it counted as never attested, and readers
// were given records beyond the last one they were told of.
test('F-71 a frame that attests what comes after it is damage', async () => {
  expect(await refusal(withField(FRAME.attestedSegment, 200))).toMatchObject({ code: 'CORRUPT' });
});

// Neither times that are no numbers, nor ids nobody can ask for, nor definitions that were never
// valid were looked at: the store opened with them.
test.each([
  ['a time that is no number', [6, 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]],
  ['a purge through 2^55', [7, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127]],
  [
    'a definition without states',
    [1, 0, 0, 1, 0x64, 1, 0x81, 0xa4, 0x6e, 0x61, 0x6d, 0x65, 0xa1, 0x64],
  ],
])('F-71 %s is CORRUPT', async (_, bytes) => {
  const record = { bytes: Uint8Array.from(bytes), endsCommit: true };
  const files = logOf([payloadOf([record])], [1]);
  expect(await refusal(files)).toMatchObject({ code: 'CORRUPT', details: { offset: 1 } });
});

// Definitions were read by a library that takes counts at their word, dates and classes for data,
// and recurses as deep as it is told.
test('F-71 F-72 bytes of a definition are read within their bounds', () => {
  for (const hex of ['dd00989680'.repeat(200), '91'.repeat(100_000), 'd6ff5a4a5b5c', 'c70072'])
    expect(() => decodeDefinition(Buffer.from(hex, 'hex'))).toThrow(RangeError);
});

// Only text with long numbers in it met the limit of nesting; all other text had none.
test('F-72 JSON text is nested 100 levels at the most, whatever else is in it', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  expect(() => fromJson(nested(100))).not.toThrow();
  expect(() => fromJson(nested(101))).toThrow(/position 100: nested deeper than 100 levels/);
});
