/**
 * Every size, byte offset and magic of the files of a log: the only place they exist in code.
 * docs/format.md is the description for people; a test holds the two against each other.
 * All integers are little-endian. A frame starts at a multiple of 8 bytes.
 */
import { KiB, MiB } from '../src/base/units.ts';

export const FORMAT_VERSION = 1;

/** Frames are padded with zeros to a multiple of this, so that a search for later frames takes steps of it. */
export const FRAME_ALIGNMENT = 8;

/** Header of a frame; `headerCrc` covers the rest of the header, seeded with store and segment. */
export const FRAME = {
  headerCrc: 0,
  magic: 4,
  kind: 6,
  version: 7,
  /** Bytes of payload, without header and padding. */
  payloadLength: 8,
  payloadCrc: 12,
  /** Records in the payload. */
  recordCount: 16,
  /** `headerCrc` of the frame before, also across segments; 0 for the very first. */
  chain: 20,
  firstOffset: 24,
  /** Everything before this position of this segment was synced when the frame was written ... */
  attestedSegment: 32,
  attestedBytes: 36,
  /** ... and with it every record up to this offset. */
  attestedOffset: 40,
  size: 48,
} as const;

export const FRAME_MAGIC = 0x5046;

export const FRAME_KIND = {
  /** Whole commits. */
  data: 1,
  /** First frame of every segment: which one it continues, and where that one ends. */
  link: 2,
  /** No records: only attests. */
  mark: 3,
} as const;

export interface Limits {
  /** One record, and one folded context. */
  readonly recordBytes: number;
  /** A frame is closed when it holds this much ... */
  readonly frameBytes: number;
  /** ... or this many records. */
  readonly frameRecords: number;
  /** One commit may be larger than a frame and then has one of its own. */
  readonly commitBytes: number;
  readonly commitRecords: number;
  /** Bytes, and commands, that may wait for the disk before more are refused. */
  readonly pendingBytes: number;
  readonly pendingCommands: number;
}

export const LIMITS: Limits = {
  recordBytes: 16 * MiB,
  frameBytes: 256 * KiB,
  frameRecords: 2048,
  commitBytes: 64 * MiB,
  commitRecords: 100_000,
  pendingBytes: 64 * MiB,
  pendingCommands: 100_000,
};

/** Payload of a link frame. */
export const LINK = {
  /** Number of the segment this one continues; 0: none, the log begins here. */
  continuedSegment: 0,
  /** Where that one ends: behind its last frame that is no mark. */
  continuedBytes: 4,
  /**
   * Records up to this offset were written again from there by a process that could not tell
   * whether they were synced. Below the frame's first offset: none were.
   */
  rewrittenThrough: 8,
  size: 16,
} as const;

/** A link with its header; no padding needed. */
export const LINK_FRAME_BYTES: number = FRAME.size + LINK.size;

/** Start of every segment file. `headerCrc` covers the rest of it; the header is complete before the file has its name. */
export const SEGMENT_HEADER = {
  headerCrc: 0,
  magic: 4,
  version: 8,
  number: 12,
  sizeBytes: 16,
  /** Milliseconds since the epoch, for people. */
  createdAt: 24,
  storeId: 32,
  size: 64,
} as const;

/** 'PAWL' and 'PAWM' in the bytes of the file. */
export const SEGMENT_MAGIC = 0x4c574150;
export const MANIFEST_MAGIC = 0x4d574150;

export const STORE_ID_BYTES = 16;

/** One of the two slots of the manifest; `slotCrc` covers the rest of the slot. */
export const MANIFEST_SLOT = {
  slotCrc: 0,
  magic: 4,
  version: 8,
  /** Length of `extra`. */
  extraLength: 12,
  /** The valid slot with the higher one is in force. */
  sequence: 16,
  storeId: 24,
  /** Every segment up to this number was prepared; one that no link passes over must be there. */
  highestSegment: 40,
  /** Segments below this number were dropped on purpose. */
  oldestSegment: 44,
  attestedSegment: 48,
  attestedBytes: 52,
  attestedOffset: 56,
  /** Bytes of the layer above. */
  extra: 64,
  size: 4096,
} as const;
export const MANIFEST_SLOTS = 2;
export const MANIFEST_EXTRA_BYTES: number = MANIFEST_SLOT.size - MANIFEST_SLOT.extra;

/** Prepared sizes: the first one of a process, what `segmentBytes` may be, and the step they are rounded to. */
export const SEGMENT_BYTES: {
  readonly first: number;
  readonly min: number;
  readonly max: number;
  readonly standard: number;
  readonly step: number;
} = {
  first: 256 * KiB,
  min: 4 * KiB,
  max: 1024 * MiB,
  standard: 64 * MiB,
  step: 4 * KiB,
};

/** The reserve: a share of the log's files, within bounds, a multiple of the step. Below `min` there is none. */
export const RESERVE_BYTES: {
  readonly share: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
} = { share: 8, min: 64 * KiB, max: 64 * MiB, step: 4 * KiB };

/** Bytes of a segment no frame with records can have: header, link, and room for a mark at the end. */
export const SEGMENT_OVERHEAD_BYTES: number = SEGMENT_HEADER.size + LINK_FRAME_BYTES + FRAME.size;

/** In the buffer of a frame, before its header: room for the link or the mark that goes to the disk in the same write. */
export const FRAME_LEAD_BYTES: number = Math.max(LINK_FRAME_BYTES, FRAME.size);

/** Start of the payload in the buffer of a frame. */
export const PAYLOAD_START: number = FRAME_LEAD_BYTES + FRAME.size;
