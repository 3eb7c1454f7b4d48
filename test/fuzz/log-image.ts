/**
 * The files of a log as one input of a fuzz target, and back; checksums made right again after
 * damage, so that it reaches what lies behind them; and logs made of any records with everything
 * around them in order.
 *
 * An image: the number of segment files, the number of each, the manifest (8,192 bytes), then the
 * segments, 4,096 bytes each, the last one whatever is left.
 */
import { crc32c } from '../../src/base/crc32c.ts';
import {
  FRAME,
  FRAME_KIND,
  FRAME_MAGIC,
  LINK,
  MANIFEST_SLOT,
  MANIFEST_SLOTS,
  SEGMENT_HEADER,
  SEGMENT_MAGIC,
  STORE_ID_BYTES,
} from '../../wal/format.ts';
import { FrameHeader, paddedLength, segmentSeed, writeLinkPayload } from '../../wal/frame.ts';
import { encodeManifestSlot } from '../../wal/manifest.ts';
import { encodeSegmentHeader } from '../../wal/segment-header.ts';
import { segmentName } from '../../wal/segment-name.ts';
import type { Files } from '../unit/wal/damages.ts';
import { type Choose, joined } from './mutate.ts';

export const DIRECTORY = '/db';
export const SEGMENT_SIZE = 4096;
const MANIFEST_BYTES: number = MANIFEST_SLOT.size * MANIFEST_SLOTS;
const MANIFEST_PATH = `${DIRECTORY}/manifest`;
const STORE_ID: Uint8Array = Uint8Array.from({ length: STORE_ID_BYTES }, (_, i) => 17 * i + 3);

function pathOf(number: number): string {
  return `${DIRECTORY}/${segmentName(number)}`;
}

/** Of a store whose segments have 4,096 bytes and numbers below 256; other files are left out. */
export function imageOf(files: Files): Uint8Array {
  const segments = [...files]
    .filter(([path]) => path.endsWith('.wal'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const numbers = segments.map(([path]) => Number.parseInt(path.slice(DIRECTORY.length + 1), 10));
  const head = Uint8Array.of(numbers.length, ...numbers);
  return joined(
    head,
    files.get(MANIFEST_PATH) as Uint8Array,
    ...segments.map(([, bytes]) => bytes),
  );
}

export function filesOf(image: Uint8Array): Files {
  const count = Math.min(image[0] ?? 0, 16);
  const numbers = image.slice(1, 1 + count);
  let at = 1 + count;
  const take = (length: number): Uint8Array => {
    const bytes = image.slice(at, at + length);
    at += bytes.length;
    return bytes;
  };
  const files: Files = new Map();
  const manifest = take(MANIFEST_BYTES);
  if (manifest.length > 0) files.set(MANIFEST_PATH, manifest);
  for (const [i, number] of numbers.entries()) {
    const isLast = i === numbers.length - 1;
    const bytes = take(isLast ? image.length : SEGMENT_SIZE);
    // Number 0 is no segment, but a file that happens to lie there.
    files.set(pathOf(number), bytes);
  }
  return files;
}

/** Which checksums are made right, each with its own odds: damage is to be met before and behind them. */
export function reseal(choose: Choose, image: Uint8Array): Uint8Array {
  const count = Math.min(image[0] ?? 0, 16);
  const bytes = image.slice();
  const manifest = 1 + count;
  for (let slot = 0; slot < MANIFEST_SLOTS; slot++) {
    const start = manifest + slot * MANIFEST_SLOT.size;
    if (start + MANIFEST_SLOT.size <= bytes.length && choose(10) > 0)
      resealSlot(bytes.subarray(start, start + MANIFEST_SLOT.size));
  }
  const relinks = choose(4) > 0;
  const ends = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const start = manifest + MANIFEST_BYTES + i * SEGMENT_SIZE;
    const end = i === count - 1 ? bytes.length : Math.min(bytes.length, start + SEGMENT_SIZE);
    if (end - start >= SEGMENT_HEADER.size)
      resealSegment(choose, bytes.subarray(start, end), relinks, ends);
  }
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function resealSlot(slot: Uint8Array): void {
  viewOf(slot).setUint32(
    MANIFEST_SLOT.slotCrc,
    crc32c(slot, MANIFEST_SLOT.magic, MANIFEST_SLOT.size),
    true,
  );
}

function resealSegment(
  choose: Choose,
  segment: Uint8Array,
  relinks: boolean,
  ends: Map<string, number>,
): void {
  const view = viewOf(segment);
  if (view.getUint32(SEGMENT_HEADER.magic, true) !== SEGMENT_MAGIC) return;
  if (choose(20) > 0) {
    const crc = crc32c(segment, SEGMENT_HEADER.magic, SEGMENT_HEADER.size);
    view.setUint32(SEGMENT_HEADER.headerCrc, crc, true);
  }
  const number = view.getUint32(SEGMENT_HEADER.number, true);
  const storeId = segment.subarray(SEGMENT_HEADER.storeId, SEGMENT_HEADER.storeId + STORE_ID_BYTES);
  const seed = segmentSeed(storeId, number);
  let chain: number | undefined;
  let at: number = SEGMENT_HEADER.size;
  while (at + FRAME.size <= segment.length) {
    if (view.getUint16(at + FRAME.magic, true) !== FRAME_MAGIC) return;
    const payload = at + FRAME.size;
    const length = view.getUint32(at + FRAME.payloadLength, true);
    const end = payload + Math.ceil(length / 8) * 8;
    if (relinks) {
      const isLink = view.getUint8(at + FRAME.kind) === FRAME_KIND.link;
      const continued = isLink && end <= segment.length ? continuedIn(view, payload, ends) : chain;
      if (continued !== undefined) view.setUint32(at + FRAME.chain, continued, true);
    }
    if (choose(30) > 0 && end <= segment.length)
      view.setUint32(at + FRAME.payloadCrc, crc32c(segment, payload, end, seed), true);
    // As if all of it were padding that is not there: what an overflow makes of a huge length.
    else if (length > 2 ** 31 && choose(2) === 0) view.setUint32(at + FRAME.payloadCrc, seed, true);
    chain = crc32c(segment, at + FRAME.magic, at + FRAME.size, seed);
    if (choose(30) > 0) view.setUint32(at + FRAME.headerCrc, chain, true);
    if (end > segment.length) return;
    ends.set(`${number}:${end}`, chain);
    at = end;
  }
}

/** The chain a link must have, if the place it continues was met. */
function continuedIn(
  view: DataView,
  payload: number,
  ends: Map<string, number>,
): number | undefined {
  const segment = view.getUint32(payload + LINK.continuedSegment, true);
  const bytes = view.getUint32(payload + LINK.continuedBytes, true);
  return ends.get(`${segment}:${bytes}`);
}

export interface WrittenRecord {
  readonly bytes: Uint8Array;
  readonly endsCommit: boolean;
}

/** A payload as frame-queue.ts writes it. */
export function payloadOf(records: readonly WrittenRecord[]): Uint8Array {
  return joined(
    ...records.flatMap(({ bytes, endsCommit }) => [
      varint(2 * bytes.length + (endsCommit ? 1 : 0)),
      bytes,
    ]),
  );
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.of(...bytes, rest);
}

/**
 * A log of one segment, closed in order, whose frames have these payloads; `recordCounts` is what
 * their headers say. Every checksum is right.
 */
export function logOf(payloads: readonly Uint8Array[], recordCounts: readonly number[]): Files {
  const used = payloads.reduce(
    (sum, payload) => sum + FRAME.size + paddedLength(payload.length),
    SEGMENT_HEADER.size + FRAME.size + LINK.size,
  );
  const sizeBytes = Math.ceil((used + FRAME.size) / SEGMENT_SIZE) * SEGMENT_SIZE;
  const segment = new Uint8Array(sizeBytes);
  const view = viewOf(segment);
  segment.set(encodeSegmentHeader({ number: 1, sizeBytes, createdAt: 0, storeId: STORE_ID }));
  const seed = segmentSeed(STORE_ID, 1);
  const header = new FrameHeader();
  let at: number = SEGMENT_HEADER.size;
  let next = 1;
  const add = (kind: number, payload: Uint8Array, recordCount: number): void => {
    segment.set(payload, at + FRAME.size);
    const { crc: chain } = header;
    Object.assign(header, {
      kind,
      payloadLength: payload.length,
      recordCount,
      chain,
      firstOffset: next,
    });
    header.seal(segment, view, at, seed);
    next += recordCount;
    at += header.frameBytes;
  };
  const link = new Uint8Array(LINK.size);
  writeLinkPayload(viewOf(link), 0, 0, 0, 0);
  add(FRAME_KIND.link, link, 0);
  for (const [i, payload] of payloads.entries())
    if (payload.length > 0) add(FRAME_KIND.data, payload, recordCounts[i] as number);
  const attested = { segment: 1, bytes: at, offset: next - 1 };
  Object.assign(header, { attestedSegment: 1, attestedBytes: at, attestedOffset: next - 1 });
  add(FRAME_KIND.mark, new Uint8Array(0), 0);
  const manifest = new Uint8Array(MANIFEST_BYTES);
  const state = {
    storeId: STORE_ID,
    highestSegment: 1,
    oldestSegment: 1,
    attested,
    extra: new Uint8Array(0),
  };
  manifest.set(encodeManifestSlot({ ...state, sequence: 1 }));
  return new Map([
    [MANIFEST_PATH, manifest],
    [pathOf(1), segment],
  ]);
}
