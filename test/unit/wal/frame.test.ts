/** The frame codec: what is sealed reads back, and nothing else does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME, FRAME_KIND, LINK, MANIFEST_SLOT, SEGMENT_HEADER } from '../../../wal/format.ts';
import {
  FrameHeader,
  paddedLength,
  readLink,
  segmentSeed,
  writeLinkPayload,
} from '../../../wal/frame.ts';
import {
  type ManifestState,
  decodeManifestSlot,
  encodeManifestSlot,
} from '../../../wal/manifest.ts';
import { decodeSegmentHeader, encodeSegmentHeader } from '../../../wal/segment-header.ts';
import { isUnfinishedName, segmentName, segmentNumber } from '../../../wal/segment-name.ts';

const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 2 ** 32 });
const u32 = fc.nat({ max: 2 ** 32 - 1 });
const storeId = fc.uint8Array({ minLength: 16, maxLength: 16 });
const fields = fc.record({
  firstOffset: offset,
  chain: u32,
  recordCount: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  attestedSegment: u32,
  attestedBytes: u32,
  attestedOffset: offset,
  payload: fc.uint8Array({ minLength: 1, maxLength: 600 }),
});
type Fields = typeof fields extends fc.Arbitrary<infer T> ? T : never;

function seal({ payload, ...rest }: Fields, seed: number, at = 8): Uint8Array {
  const bytes = new Uint8Array(at + FRAME.size + paddedLength(payload.length));
  bytes.set(payload, at + FRAME.size);
  const header = Object.assign(new FrameHeader(), rest, {
    kind: FRAME_KIND.data,
    payloadLength: payload.length,
  });
  header.seal(bytes, new DataView(bytes.buffer), at, seed);
  return bytes;
}

describe('frames', () => {
  it('WAL-4 a sealed frame reads back field by field', () => {
    fc.assert(
      fc.property(fields, u32, (frame, seed) => {
        const bytes = seal(frame, seed);
        const header = new FrameHeader();
        expect(header.read(bytes, new DataView(bytes.buffer), 8, seed)).toBe(true);
        expect(header.payloadMatches(bytes, 8, seed)).toBe(true);
        const { payload, ...rest } = frame;
        expect(header).toMatchObject({ ...rest, payloadLength: payload.length });
        expect(header.isPlausible).toBe(true);
        expect(header.frameBytes).toBe(bytes.length - 8);
      }),
    );
  });

  it('WAL-4 F-20 any one or two flipped bits, padding included, are found', () => {
    fc.assert(
      fc.property(fields, u32, fc.nat(), fc.nat(), (frame, seed, first, second) => {
        const bytes = seal(frame, seed);
        const bits = (bytes.length - 8) * 8;
        const places = new Set([first % bits, second % bits]);
        for (const bit of places) bytes[8 + (bit >> 3)]! ^= 1 << (bit & 7);
        const header = new FrameHeader();
        const isRead = header.read(bytes, new DataView(bytes.buffer), 8, seed);
        expect(isRead && header.payloadMatches(bytes, 8, seed)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('F-24 a frame of another store or another segment never validates', () => {
    fc.assert(
      fc.property(fields, storeId, storeId, u32, u32, (frame, one, other, segment, another) => {
        fc.pre(Buffer.compare(one, other) !== 0 && segment !== another);
        const bytes = seal(frame, segmentSeed(one, segment));
        const view = new DataView(bytes.buffer);
        const header = new FrameHeader();
        expect(header.read(bytes, view, 8, segmentSeed(one, another))).toBe(false);
        expect(header.read(bytes, view, 8, segmentSeed(other, segment))).toBe(false);
      }),
    );
  });

  it('F-5 zeros are no frame, no segment and no manifest', () => {
    const zeros = new Uint8Array(MANIFEST_SLOT.size);
    const view = new DataView(zeros.buffer);
    expect(new FrameHeader().read(zeros, view, 0, 0)).toBe(false);
    expect(decodeSegmentHeader(zeros.subarray(0, SEGMENT_HEADER.size))).toBeUndefined();
    expect(decodeManifestSlot(zeros)).toBeUndefined();
  });

  it('a link says where it continues', () => {
    fc.assert(
      fc.property(u32, u32, offset, (segment, bytes, through) => {
        const view = new DataView(new ArrayBuffer(LINK.size));
        writeLinkPayload(view, 0, segment, bytes, through);
        expect(readLink(new FrameHeader(), view, 0)).toMatchObject({
          continuedSegment: segment,
          continuedBytes: bytes,
          rewrittenThrough: through,
        });
      }),
    );
  });
});

describe('files', () => {
  it('a segment header reads back, and any flipped bit of it is found', () => {
    fc.assert(
      fc.property(
        fc.record({ number: u32, sizeBytes: u32, createdAt: offset, storeId }),
        fc.nat({ max: SEGMENT_HEADER.size * 8 - 1 }),
        (header, bit) => {
          const bytes = encodeSegmentHeader(header);
          expect(decodeSegmentHeader(bytes)).toEqual(header);
          bytes[bit >> 3]! ^= 1 << (bit & 7);
          expect(decodeSegmentHeader(bytes)).toBeUndefined();
        },
      ),
    );
  });

  it('F-28 a manifest slot reads back, and any flipped bit of it is found', () => {
    const state = fc.record({
      sequence: offset,
      storeId,
      highestSegment: u32,
      oldestSegment: u32,
      attested: fc.record({ segment: u32, bytes: u32, offset }),
      extra: fc.uint8Array({ maxLength: 4032 }),
    }) satisfies fc.Arbitrary<ManifestState>;
    fc.assert(
      fc.property(state, fc.nat({ max: MANIFEST_SLOT.size * 8 - 1 }), (manifest, bit) => {
        const bytes = encodeManifestSlot(manifest);
        expect(decodeManifestSlot(bytes)).toEqual(manifest);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(decodeManifestSlot(bytes)).toBeUndefined();
      }),
    );
  });

  it('a name belongs to one number, and nothing else looks like one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), (number) => {
        expect(segmentNumber(segmentName(number))).toBe(number);
        expect(isUnfinishedName(`${segmentName(number)}.new`)).toBe(true);
      }),
    );
    for (const name of [
      '1.wal',
      '00000000.wal',
      '000000001.wal',
      '00000001.WAL',
      '00000001.wal~',
      '99999999999.wal',
      'x.wal',
    ]) {
      expect([name, segmentNumber(name)]).toEqual([name, undefined]);
      expect([name, isUnfinishedName(`${name}.new`)]).toEqual([name, false]);
    }
  });
});
