/**
 * Forgery: frames, headers and manifest slots whose checksums hold although no log ever wrote them
 * so. What disks do to bytes is in damages.ts; this is what only a bug, or a newer version, could do.
 */
import { crc32c } from '../../../src/base/crc32c.ts';
import { FRAME, LINK, MANIFEST_SLOT, SEGMENT_HEADER, STORE_ID_BYTES } from '../../../wal/format.ts';
import { FrameHeader, segmentSeed } from '../../../wal/frame.ts';
import {
  type ManifestState,
  decodeManifestSlot,
  encodeManifestSlot,
} from '../../../wal/manifest.ts';
import type { Damage } from './damages.ts';

/** Changes the header of a frame, and the bytes of its payload in place. */
export type Change = (header: FrameHeader, payload: DataView) => void;

interface Sheet {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly seed: number;
}

function sheetOf(bytes: Uint8Array): Sheet {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const storeId = bytes.subarray(SEGMENT_HEADER.storeId, SEGMENT_HEADER.storeId + STORE_ID_BYTES);
  return { bytes, view, seed: segmentSeed(storeId, view.getUint32(SEGMENT_HEADER.number, true)) };
}

/** Where the frames of a segment start, its link first. */
export function framesIn(bytes: Uint8Array): number[] {
  const { view, seed } = sheetOf(bytes);
  const header = new FrameHeader();
  const starts: number[] = [];
  let at: number = SEGMENT_HEADER.size;
  for (; at + FRAME.size <= bytes.length; at += header.frameBytes) {
    if (!header.read(bytes, view, at, seed)) break;
    starts.push(at);
  }
  return starts;
}

/** Frame `n` of a segment (its link is 0) says something else; it and all behind it are sealed and chained anew. */
export function reframe(path: string, n: number, change: Change): Damage {
  return (files) => {
    const copy = new Map([...files].map(([name, content]) => [name, content.slice()]));
    const { bytes, view, seed } = sheetOf(copy.get(path) as Uint8Array);
    const header = new FrameHeader();
    let chain: number | undefined;
    for (const [i, at] of framesIn(bytes).entries()) {
      header.read(bytes, view, at, seed);
      header.chain = chain ?? header.chain;
      if (i === n)
        change(header, new DataView(bytes.buffer, at + FRAME.size, header.payloadLength));
      chain = header.seal(bytes, view, at, seed);
    }
    return copy;
  };
}

/** The link of a segment says something else. */
export function relink(
  path: string,
  fields: {
    readonly segment?: number;
    readonly bytes?: number;
    readonly chain?: number;
    readonly firstOffset?: number;
  },
): Damage {
  return reframe(path, 0, (header, payload) => {
    const { segment, bytes, chain = header.chain, firstOffset = header.firstOffset } = fields;
    if (segment !== undefined) payload.setUint32(LINK.continuedSegment, segment, true);
    if (bytes !== undefined) payload.setUint32(LINK.continuedBytes, bytes, true);
    Object.assign(header, { chain, firstOffset });
  });
}

/** Both slots of the manifest say something else. */
export function remanifest(change: (state: ManifestState) => Partial<ManifestState>): Damage {
  return (files) => {
    const bytes = (files.get('/db/manifest') as Uint8Array).slice();
    for (const start of [0, MANIFEST_SLOT.size]) {
      const state = decodeManifestSlot(bytes.subarray(start, start + MANIFEST_SLOT.size));
      if (typeof state === 'object')
        bytes.set(encodeManifestSlot({ ...state, ...change(state) }), start);
    }
    return new Map(files).set('/db/manifest', bytes);
  };
}

/** Bytes in one place, and the checksum over `from` to `end`, which lies at `crc`, made to fit. */
function resealed(
  path: string,
  at: number,
  value: number,
  crc: number,
  from: number,
  end: number,
): Damage {
  return (files) => {
    const bytes = (files.get(path) as Uint8Array).slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(at, value, true);
    view.setUint32(crc, crc32c(bytes, from, end), true);
    return new Map(files).set(path, bytes);
  };
}

/** A segment header of another format version, or with another of its 32-bit fields. */
export function reheader(path: string, field: 'version' | 'number', value: number): Damage {
  const { headerCrc, magic, size } = SEGMENT_HEADER;
  return resealed(path, SEGMENT_HEADER[field], value, headerCrc, magic, size);
}

/** One slot of the manifest with another 32-bit field. */
export function reslot(slot: 0 | 1, field: 'version' | 'extraLength', value: number): Damage {
  const { slotCrc, magic, size } = MANIFEST_SLOT;
  const start = slot * size;
  const at = start + MANIFEST_SLOT[field];
  return resealed('/db/manifest', at, value, start + slotCrc, start + magic, start + size);
}
