/** What the manifest says about snapshots, and what their names say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CatalogueEntry,
  MAX_CATALOGUE_ENTRIES,
  decodeCatalogue,
  encodeCatalogue,
} from '../../../src/snapshot/catalogue.ts';
import {
  isUnfinishedSnapshot,
  snapshotName,
  snapshotOffset,
  unfinishedSnapshotName,
} from '../../../src/snapshot/snapshot-name.ts';
import { MANIFEST_EXTRA_BYTES } from '../../../wal/format.ts';
import { codeOf } from './snapshot-fixture.ts';

const entries: fc.Arbitrary<CatalogueEntry[]> = fc.uniqueArray(
  fc.record({
    offset: fc.maxSafeNat(),
    sizeBytes: fc.maxSafeNat(),
    checksum: fc.nat(2 ** 32 - 1),
  }),
  { maxLength: MAX_CATALOGUE_ENTRIES, selector: ({ offset }) => offset },
);

describe('the catalogue', () => {
  it('gives back what was put in, oldest first, and fits into the manifest', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const bytes = encodeCatalogue(list);
        expect(bytes.length).toBeLessThanOrEqual(MANIFEST_EXTRA_BYTES);
        expect(decodeCatalogue(bytes)).toEqual(list.toSorted((a, b) => a.offset - b.offset));
      }),
    );
    expect(MAX_CATALOGUE_ENTRIES).toBeGreaterThan(100);
    expect(() =>
      encodeCatalogue(
        Array.from({ length: MAX_CATALOGUE_ENTRIES + 1 }, (_, offset) => ({
          offset,
          sizeBytes: 1,
          checksum: 1,
        })),
      ),
    ).toThrow('fits into the manifest');
  });

  it('no bytes are no snapshots; bytes that make no sense are CORRUPT; a newer version is FORMAT_UNSUPPORTED', async () => {
    expect(decodeCatalogue(new Uint8Array(0))).toEqual([]);
    const bytes = encodeCatalogue([
      { offset: 5, sizeBytes: 10, checksum: 1 },
      { offset: 9, sizeBytes: 10, checksum: 2 },
    ]);
    const codeFor = (change: (copy: Uint8Array) => Uint8Array): Promise<string> =>
      codeOf(async () => decodeCatalogue(change(Uint8Array.from(bytes))));
    for (let length = 1; length < bytes.length; length++)
      expect(await codeFor((copy) => copy.slice(0, length))).toBe('CORRUPT');
    expect(await codeFor((copy) => copy.fill(2, 0, 1))).toBe('FORMAT_UNSUPPORTED');
    expect(await codeFor((copy) => copy.fill(3, 4, 5))).toBe('CORRUPT');
    expect(await codeFor((copy) => copy.fill(5, 28, 29))).toBe('CORRUPT');
    expect(await codeFor((copy) => copy.fill(255, 8, 16))).toBe('CORRUPT');
  });
});

describe('names', () => {
  it('say the offset, and nothing else has such a name', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (offset) => {
        expect(snapshotOffset(snapshotName(offset))).toBe(offset);
        expect(isUnfinishedSnapshot(snapshotName(offset))).toBe(false);
        expect(isUnfinishedSnapshot(unfinishedSnapshotName(offset))).toBe(true);
        expect(snapshotOffset(unfinishedSnapshotName(offset))).toBeUndefined();
      }),
    );
    expect(snapshotName(42)).toBe('snapshot-0000000000000042');
    for (const name of [
      'snapshot-42',
      'snapshot-',
      'snapshot-9999999999999999',
      'snapshot-00000000000000x2',
      'a.unfinished',
      'snapshot-1.unfinished',
      '00000001.wal',
    ])
      expect([name, snapshotOffset(name), isUnfinishedSnapshot(name)]).toEqual([
        name,
        undefined,
        false,
      ]);
  });
});
