/**
 * The layer table: which folder may import which. The linter enforces the same table (the
 * overrides of `.oxlintrc.json` are computed from here and compared by `tidy.test.ts`); this
 * file is the one to change. A folder that is not listed fails the test: a new one is a decision.
 */

export interface Layer {
  /** Folder (or single file) the row speaks of; the most specific row wins. */
  readonly at: string;
  /** Folders it may import besides itself. */
  readonly may: readonly string[];
  /** No Node module and no Node global: runs in any JavaScript engine. */
  readonly pure?: true;
}

const BASE = ['src/base'];
const RECORD = [...BASE, 'src/value', 'src/machine', 'src/query'];
const INSTANCE = [...RECORD, 'src/record'];
const INDEXES = [...INSTANCE, 'src/instance'];
const STATE = [...INDEXES, 'src/indexes', 'src/vector'];
const STORAGE = [...BASE, 'wal', 'src/record'];
const SNAPSHOT = [...STATE, 'src/state', 'wal', 'src/storage'];
const ENGINE = [...SNAPSHOT, 'src/snapshot'];
const EDGE = [...ENGINE, 'src/engine'];

export const LAYERS: readonly Layer[] = [
  { at: 'src/base', may: [] },
  { at: 'wal', may: BASE },
  { at: 'src/value', may: BASE },
  { at: 'src/machine', may: BASE, pure: true },
  { at: 'src/query', may: BASE, pure: true },
  { at: 'src/hnsw', may: BASE, pure: true },
  { at: 'src/record', may: RECORD },
  { at: 'src/instance', may: INSTANCE },
  { at: 'src/indexes', may: INDEXES },
  { at: 'src/vector', may: INSTANCE },
  { at: 'src/state', may: STATE },
  { at: 'src/storage', may: STORAGE },
  { at: 'src/snapshot', may: SNAPSHOT },
  { at: 'src/engine', may: ENGINE },
  { at: 'src/cli', may: EDGE },
  { at: 'src/testing', may: EDGE },
  { at: 'src/index.ts', may: EDGE },
];

/** The row that governs a file, or undefined when the table does not know its folder. */
export function layerOf(path: string): Layer | undefined {
  return LAYERS.find((layer) => path === layer.at || path.startsWith(`${layer.at}/`));
}

/** Where something forbidden elsewhere is allowed, and what to use instead everywhere else. */
export interface Ban {
  readonly what: string;
  /** Matches the call in source text without comments. */
  readonly pattern: RegExp;
  readonly instead: string;
  /** Files or folders that may: the port that wraps it, and the command. */
  readonly allowed: readonly string[];
}

/** The command: the one place that speaks to a terminal. */
export const COMMAND = 'src/cli';

/** The files that implement FileIo on the real disk. */
export const DISK_PORT: readonly string[] = [
  'src/base/node-file-io.ts',
  'src/base/node-file-handle.ts',
  'src/base/file-calls.ts',
  'src/base/dir-lock.ts',
  'src/base/lock-owner.ts',
];

/** The files that implement Clock, Random and Thread. */
export const TIME_PORT: readonly string[] = [
  'src/base/clock.ts',
  'src/base/random.ts',
  'src/base/thread.ts',
];

/** Makes and removes directories for tests on the real disk. */
export const TEMPORARY_STORE = 'src/testing/temporary-store.ts';

export const BANS: readonly Ban[] = [
  {
    what: 'the time of day (Date.now, new Date without argument)',
    pattern: /\bDate\.now\b|\bnew Date(?:\(\)|(?!\w|\())/,
    instead: 'the Clock port (src/base/clock.ts)',
    allowed: ['src/base/clock.ts'],
  },
  {
    what: 'Math.random, randomBytes, randomUUID, getRandomValues',
    pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b/,
    instead: 'the Random port (src/base/random.ts)',
    allowed: ['src/base/random.ts'],
  },
  {
    what: 'performance.now, process.hrtime',
    pattern: /\bperformance\.now\b|\bhrtime\b/,
    instead: 'monotonicMs of the Thread port (src/base/thread.ts)',
    allowed: ['src/base/thread.ts'],
  },
  {
    what: 'setImmediate, process.nextTick, queueMicrotask, setInterval',
    pattern: /\b(?:setImmediate|nextTick|queueMicrotask|setInterval)\b/,
    instead: 'the Thread port (src/base/thread.ts)',
    allowed: ['src/base/thread.ts', 'src/base/node-file-handle.ts'],
  },
  {
    what: 'setTimeout',
    pattern: /\bsetTimeout\b/,
    instead: 'delay of the Thread port or setTimer of the Clock port',
    allowed: ['src/base/thread.ts', 'src/base/clock.ts'],
  },
  {
    what: 'the file system (node:fs, fs-extra)',
    pattern: /['"](?:node:)?fs(?:\/promises)?['"]|['"]fs-extra['"]/,
    instead: 'the FileIo port (src/base/file-io.ts)',
    allowed: [...DISK_PORT, COMMAND, TEMPORARY_STORE],
  },
  {
    what: 'console, process.stdout, process.stderr',
    pattern: /\bconsole\.|\bprocess\.std(?:out|err)\b/,
    instead: 'the Logger port (src/base/logger.ts)',
    allowed: [COMMAND],
  },
  {
    what: 'process.env, process.exit, process.argv',
    pattern: /\bprocess\.(?:env|exit|argv|exitCode)\b/,
    instead: 'an option of openStore or openLog',
    allowed: [COMMAND],
  },
];

export function isAllowed(ban: Ban, path: string): boolean {
  return ban.allowed.some((at) => path === at || path.startsWith(`${at}/`));
}
