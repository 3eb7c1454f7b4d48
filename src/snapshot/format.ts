/**
 * Every size, byte offset, kind and magic of snapshot files and of the catalogue: the only place
 * they exist in code. docs/format.md is the description for people; a test holds the two against
 * each other. All integers are little-endian.
 */
import { KiB, MiB } from '../base/units.ts';

export const SNAPSHOT_VERSION = 1;
/** 'PAWS' in the bytes of the file. */
export const SNAPSHOT_MAGIC = 0x53574150;

/** Start of the file. `headerCrc` covers the rest of it and is the seed of every other checksum of the file. */
export const SNAPSHOT_HEADER = {
  headerCrc: 0,
  magic: 4,
  version: 8,
  /** Machine definitions. */
  definitions: 12,
  /** The state is that after this record ... */
  offset: 16,
  /** ... whose commit has this time (f64, milliseconds) ... */
  time: 24,
  /** ... the latest of all commits so far (f64). */
  maxTime: 32,
  storeId: 40,
  /** What the hashes of the id table were made with. */
  hashKey: 56,
  /** Handles, free ones included. */
  rows: 64,
  /** Instances, deleted ones included. */
  instances: 68,
  deleted: 72,
  /** Idempotency keys. */
  keys: 76,
  size: 80,
} as const;

/** A chunk starts where the one before it ends, the first one behind the header; its length is a multiple of this. */
export const CHUNK_ALIGNMENT = 4;

export const CHUNK = {
  /** Definitions, in the order of their indexes. */
  definitions: 1,
  /** What the versions of a machine share: indexes, and the key lists of contexts. */
  machines: 2,
  /** Rows, in the order of their handles. */
  rows: 3,
  /** An arena of ids, in the order of their handles. */
  ids: 4,
  /** An arena of contexts and event ids, in the order of their handles. */
  contexts: 5,
  /** Buckets of the id table, in the order of the hashes they hold. */
  idTable: 6,
  /** Deleted instances, in the order they were deleted. */
  deleted: 7,
  /** Rows of idempotency keys, oldest first. */
  keyRows: 8,
  /** An arena of keys with their scopes, in the order of their rows. */
  keys: 9,
  /** An arena of first results, in the order of their rows. */
  results: 10,
  /** Buckets of the table from keys to their rows. */
  keyTable: 11,
  /** What rows have at indexed paths, in the order of their handles: derived, and done without when it is damaged. */
  indexColumns: 12,
  /** The values that columns of 12 name, of one path. */
  indexValues: 13,
  /** Vector collections, in the order of their numbers. */
  collections: 14,
  /** Entries of one collection, in the order of their handles. */
  entries: 15,
} as const;
export type ChunkKind = (typeof CHUNK)[keyof typeof CHUNK];

/** One entry of the directory, behind the last chunk: one per chunk, in their order. */
export const CHUNK_ENTRY = {
  crc: 0,
  length: 4,
  kind: 8,
  /** Definitions, machines, rows, entries of an arena, buckets, deleted ones or keys in the chunk. */
  count: 12,
  size: 16,
} as const;

/** End of the file. */
export const SNAPSHOT_FOOTER = {
  /** Covers the rest of the footer, and through `directoryCrc` and `headerCrc` the whole file. */
  footerCrc: 0,
  magic: 4,
  /** How many. */
  chunks: 8,
  directoryCrc: 12,
  headerCrc: 16,
  reserved: 20,
  /** Of the whole file. */
  sizeBytes: 24,
  size: 32,
} as const;
/** 'PAWE' in the bytes of the file. */
export const FOOTER_MAGIC = 0x45574150;

/** Start of a chunk of rows; a descriptor per column follows, then the columns. */
export const ROWS_HEADER = {
  /** Handle of the first row. */
  first: 0,
  rows: 4,
  /** Rows of instances, deleted ones included. */
  live: 8,
  reserved: 12,
  /** Of the entry before the first one of this chunk: its arena, counted from 0, and its end in there. */
  idArena: 16,
  idEnd: 20,
  contextArena: 24,
  contextEnd: 28,
  size: 32,
} as const;
/** How a column is packed: `base` is an f64, `width` the bytes of a value. */
export const COLUMN = { base: 0, width: 8, reserved: 12, size: 16 } as const;
/** The columns in their order; `flags` has a value per row, the others one per living row. */
export const COLUMNS = [
  'flags',
  'state',
  'definition',
  'createdAt',
  'updatedAt',
  'offset',
  'id',
  'context',
] as const;
/** The same of idempotency keys, all of whose rows are living. */
export const KEY_COLUMNS = [
  'flags',
  'definition',
  'detail',
  'offset',
  'at',
  'time',
  'fingerprintLow',
  'fingerprintHigh',
  'key',
  'result',
] as const;
/** Rows of a chunk, but for the last one. */
export const CHUNK_ROWS = 4096;
/** Width of a column whose values are f64 as they are. */
export const RAW_WIDTH = 8;

/** Start of a chunk of index columns, as many as a machine has paths; a descriptor each follows, then the columns. */
export const INDEX_HEADER = { first: 0, rows: 4, columns: 8, reserved: 12, size: 16 } as const;
/** Start of a bucket in a chunk of the id table; handles and tags follow. */
export const BUCKET = { slots: 0, count: 4, depth: 8, width: 9, reserved: 10, size: 12 } as const;

/** A deleted instance: when (f64), and by which record. */
export const DELETED = { handle: 0, reserved: 4, time: 8, offset: 16, size: 24 } as const;

/** Chunks of definitions, machines, deleted ones and buckets end when they are this large. */
export const CHUNK_BYTES: number = 64 * KiB;
/** Chunks are written and read this many bytes at a time. */
export const RUN_BYTES: number = 1 * MiB;

/** Start of the bytes the manifest keeps for snapshots; entries follow, oldest snapshot first. */
export const CATALOGUE = { version: 0, count: 4, size: 8 } as const;
export const CATALOGUE_VERSION = 1;
export const CATALOGUE_ENTRY = { offset: 0, sizeBytes: 8, checksum: 16, size: 20 } as const;
