/** What a scan is asked for and what it found; scan.ts makes it. */
import type { LogDirectory } from './log-directory.ts';
import type { ManifestReading, ManifestState } from './manifest.ts';
import type { Attested, LogEnd } from './position.ts';
import type { SegmentChain } from './segment-chain.ts';
import type { SegmentList } from './segment-list.ts';

/** The payload of one frame is bytes[payloadStart, payloadEnd); valid only during the call. */
export type OnFrame = (
  bytes: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  firstOffset: number,
  recordCount: number,
) => void;

export type BeforeScan = (manifest: ManifestState) => Promise<number>;

export interface ScanOptions {
  readonly onFrame?: OnFrame | undefined;
  /** A torn tail is CORRUPT too. */
  readonly strict?: boolean | undefined;
  /** 'attested': only frames something later vouches for, as a reader of a live writer must. Default 'all'. */
  readonly deliver?: 'all' | 'attested' | undefined;
  /**
   * Called once the manifest was read, before anything else is: gives the last record the caller
   * has already, 0 for none. It must have been synced, and the log must go on behind it. Segments
   * that end before it are not read, only their heads; a frame that holds it is delivered whole.
   * Default: what the log has is delivered from its beginning, wherever that is.
   */
  readonly before?: BeforeScan | undefined;
  /** Is told where the frames are. */
  readonly places?: SegmentList | undefined;
}

export interface ScannedSegment {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
  /** Where its last frame that counts ends. */
  readonly usedBytes: number;
  readonly firstOffset: number;
  /** firstOffset - 1 when it holds no record. */
  readonly lastOffset: number;
}

export interface ScanReport {
  readonly manifest: ManifestReading;
  readonly files: LogDirectory;
  readonly chain: SegmentChain;
  readonly segments: readonly ScannedSegment[];
  /** First record kept. */
  readonly firstOffset: number;
  /** Behind the last frame that verifies and is no mark. */
  readonly end: LogEnd;
  /** Furthest place known to be synced. */
  readonly attested: Attested;
  /** Behind the last frame before it that is no mark: frames from here to `end` are in doubt. */
  readonly attestedEnd: LogEnd;
  readonly framesRead: number;
  /** Records delivered; of a frame that holds others as well, those behind what the caller had. */
  readonly recordsRead: number;
  /** Broken or dropped frames behind the cut; prepared zeros do not count. */
  readonly bytesTruncated: number;
  /** First record that could not be read, when bytesTruncated > 0. */
  readonly firstBadOffset: number | undefined;
}
