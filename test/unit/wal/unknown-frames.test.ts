/**
 * Sealed frames of a kind or version this code does not know: a newer package wrote them. Wherever
 * one stands, the log is FORMAT_UNSUPPORTED: not damaged, not cut, not passed over.
 */
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/base/crc32c.ts';
import { FRAME, FRAME_KIND, SEGMENT_HEADER, STORE_ID_BYTES } from '../../../wal/format.ts';
import { paddedLength, segmentSeed } from '../../../wal/frame.ts';
import { openDriver, scanDriver } from './log-driver.ts';
import { SimDisk } from 'pawl/testing';

const PATH = '/db/00000001.wal';
const REFUSED = { code: 'FORMAT_UNSUPPORTED', file: '00000001.wal' };

/** One segment: a link, three data frames, and a mark if it was closed. */
async function oneSegment(isClosed: boolean): Promise<Map<string, Uint8Array>> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, '/db', { segmentBytes: 16_384 });
  for (let i = 0; i < 3; i++) await driver.commit(2);
  if (isClosed) await writer.close();
  return disk.files();
}

function framesIn(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer);
  const found: number[] = [];
  let at: number = SEGMENT_HEADER.size;
  while (view.getUint32(at + FRAME.headerCrc, true) !== 0) {
    found.push(at);
    at += FRAME.size + paddedLength(view.getUint32(at + FRAME.payloadLength, true));
  }
  return found;
}

/** Changes one byte of a frame header and seals it again. */
function reseal(bytes: Uint8Array, at: number, field: 'kind' | 'version', value: number): void {
  const storeId = bytes.subarray(SEGMENT_HEADER.storeId, SEGMENT_HEADER.storeId + STORE_ID_BYTES);
  bytes[at + FRAME[field]] = value;
  const crc = crc32c(bytes, at + FRAME.magic, at + FRAME.size, segmentSeed(storeId, 1));
  new DataView(bytes.buffer).setUint32(at + FRAME.headerCrc, crc, true);
}

/** What both opening and scanning say; the files are left alone. */
async function refusal(files: Map<string, Uint8Array>): Promise<unknown> {
  const disk = SimDisk.of(files);
  const told = await Promise.allSettled([
    openDriver(disk.fileIo, '/db'),
    scanDriver(SimDisk.of(files).fileIo, '/db'),
  ]);
  expect(disk.journal).toEqual([]);
  expect(disk.isLocked).toBe(false);
  const [opening, scanning] = told.map((one) => (one.status === 'rejected' ? one.reason : one));
  const { code, details } = scanning as { code: string; details: object };
  expect(opening).toMatchObject({ code, details });
  return { code, ...details };
}

describe('F-56 a sealed frame of a newer version', () => {
  it.each([true, false])('of the log, after a clean close: %s', async (isClosed) => {
    const files = await oneSegment(isClosed);
    const frames = framesIn(files.get(PATH) as Uint8Array);
    expect(frames.length).toBe(isClosed ? 5 : 4);
    for (const at of frames) {
      for (const kind of [0, FRAME_KIND.mark + 1, 255]) {
        const copy = new Map(files).set(PATH, (files.get(PATH) as Uint8Array).slice());
        reseal(copy.get(PATH) as Uint8Array, at, 'kind', kind);
        expect(await refusal(copy)).toMatchObject({ ...REFUSED, what: 'frame kind', value: kind });
      }
      for (const version of [0, 2]) {
        const copy = new Map(files).set(PATH, (files.get(PATH) as Uint8Array).slice());
        reseal(copy.get(PATH) as Uint8Array, at, 'version', version);
        expect(await refusal(copy)).toMatchObject({ ...REFUSED, version, supported: 1 });
      }
    }
  });

  it('at the beginning of a segment that has a successor', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    driver.recordBytes = 3000;
    for (let i = 0; i < 3; i++) await driver.commit();
    await writer.close();
    const files = disk.files();
    expect(files.size).toBeGreaterThan(3);
    reseal(files.get(PATH) as Uint8Array, SEGMENT_HEADER.size, 'kind', 4);
    expect(await refusal(files)).toMatchObject({ ...REFUSED, what: 'frame kind', value: 4 });
  });

  it('with a torn payload, and behind a torn frame', async () => {
    const files = await oneSegment(false);
    const bytes = files.get(PATH) as Uint8Array;
    const [, , before, last] = framesIn(bytes) as [number, number, number, number];
    reseal(bytes, last, 'kind', 9);
    bytes.fill(0, last + FRAME.size);
    expect(await refusal(files)).toMatchObject({ ...REFUSED, value: 9 });
    bytes.fill(0, before, before + 8);
    expect(await refusal(files)).toMatchObject({ ...REFUSED, value: 9 });
  });

  it('whose header does not verify is a torn tail like any other', async () => {
    const files = await oneSegment(false);
    const bytes = files.get(PATH) as Uint8Array;
    const last = framesIn(bytes).at(-1) as number;
    bytes[last + FRAME.kind] = 9;
    expect((await scanDriver(SimDisk.of(files).fileIo, '/db')).records).toBe(4);
  });
});
