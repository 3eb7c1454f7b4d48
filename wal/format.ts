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
  /** First frame of every segment but the first: which segment it continues, and where that one ends. */
  link: 2,
  /** No records: only attests. */
  mark: 3,
} as const;
export type FrameKind = (typeof FRAME_KIND)[keyof typeof FRAME_KIND];

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

/** Start of the payload of a frame: right behind its header. */
export const PAYLOAD_START: number = FRAME.size;
