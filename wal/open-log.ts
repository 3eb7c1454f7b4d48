/** openLog(): checks the options and puts the pieces of a log together. */
import { systemClock } from '../src/base/clock.ts';
import { badRequest } from '../src/base/errors.ts';
import type { FileIo } from '../src/base/file-io.ts';
import { silentLogger } from '../src/base/logger.ts';
import { nodeFileIo } from '../src/base/node-file-io.ts';
import { systemRandom } from '../src/base/random.ts';
import { nodeThread } from '../src/base/thread.ts';
import { AppendSink, type AppendTicket } from './append-sink.ts';
import { syncPolicy } from './durability.ts';
import { FileLog } from './file-log.ts';
import { FrozenLog } from './frozen-log.ts';
import { checkOptions } from './log-arguments.ts';
import { ioError } from './log-error.ts';
import type { Log, LogOptions, LogReader, ReadLogOptions } from './log-types.ts';
import { openLogWriter } from './open-writer.ts';
import { scanLive } from './scan-live.ts';

type AnyOptions = Omit<LogOptions, 'readOnly'> & { readOnly?: boolean | undefined };

const READ_OPTIONS: readonly (keyof AnyOptions)[] = [
  'readOnly',
  'fileIo',
  'thread',
  'logger',
  'strict',
];
const OPTIONS: readonly (keyof AnyOptions)[] = [
  ...READ_OPTIONS,
  'durability',
  'segmentBytes',
  'maxPending',
  'blockingSync',
  'clock',
  'random',
];

/**
 * Opens the log in a directory for reading, beside whoever writes to it: it shows what was there
 * at that moment and takes no lock.
 *
 * @throws {StoreError} NOT_FOUND - there is no log
 * @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED, WAL_IO_ERROR, BAD_REQUEST
 * @example
 * const log = await openLog('./audit', { readOnly: true });
 * const { records } = await log.read({ limit: 10 });
 * await log.close();
 */
export function openLog(
  directory: string,
  options: ReadLogOptions & { readOnly: true },
): Promise<LogReader>;
/**
 * Opens the log in a directory for writing; creates both if they are absent. Every record already
 * there is read and verified first, and what a crash left in doubt is made sure of.
 *
 * @throws {StoreError} STORE_LOCKED - another process, or this one, has it open for writing
 * @throws {StoreError} CORRUPT - the log is damaged; nothing was changed, see `repairLog`
 * @throws {StoreError} FORMAT_UNSUPPORTED - a newer version wrote it; nothing was changed
 * @throws {StoreError} WAL_IO_ERROR, BAD_REQUEST
 * @example
 * const log = await openLog('./audit');
 * const offset = await log.append(new TextEncoder().encode('door opened'));
 * await log.close();
 */
export function openLog(directory: string, options?: LogOptions): Promise<Log>;
export async function openLog(directory: string, options?: AnyOptions): Promise<Log | LogReader> {
  if (typeof directory !== 'string' || directory.length === 0 || directory.includes('\0')) {
    throw badRequest('directory must be a path', 'directory', 'non-empty string');
  }
  const given = checkOptions<AnyOptions>(options, OPTIONS) ?? {};
  for (const name of ['readOnly', 'strict', 'blockingSync'] as const) checkFlag(given, name);
  for (const name of ['fileIo', 'thread', 'logger', 'clock', 'random'] as const)
    checkPort(given, name);
  if (given.readOnly !== true) return openToWrite(directory, given);
  checkOptions<AnyOptions>(given, READ_OPTIONS);
  return openToRead(directory, given);
}

async function openToWrite(directory: string, options: AnyOptions): Promise<Log> {
  const { fileIo = nodeFileIo, logger = silentLogger } = options;
  const { clock = systemClock, random = systemRandom, thread = nodeThread } = options;
  const { durability, segmentBytes, maxPending, strict, blockingSync } = options;
  if (durability !== undefined) syncPolicy(durability);
  const sink = new AppendSink();
  const writer = await openLogWriter<AppendTicket>(directory, {
    fileIo,
    clock,
    random,
    logger,
    thread,
    sink,
    durability,
    segmentBytes,
    maxPending,
    strict,
    blockingPath: blockingSync,
  });
  return new FileLog({ writer, sink, thread, logger });
}

async function openToRead(directory: string, options: ReadLogOptions): Promise<LogReader> {
  const { fileIo = nodeFileIo, thread = nodeThread, logger = silentLogger, strict } = options;
  const startedAt = thread.monotonicMs();
  const { report, lastOffset, segments, recovery } = await scanLive(fileIo, directory, { strict });
  const { storeId } = report.manifest.state;
  return new FrozenLog({
    files: { fileIo, directory: await pathOf(fileIo, directory), storeId, segments },
    lastOffset,
    recovery: { ...recovery, durationMs: thread.monotonicMs() - startedAt },
    thread,
    logger,
  });
}

/** Absolute: the process may change its directory. */
async function pathOf(fileIo: FileIo, directory: string): Promise<string> {
  try {
    return await fileIo.resolve(directory);
  } catch (error) {
    throw ioError(error, 'looking at the directory', directory);
  }
}

/** @throws {StoreError} BAD_REQUEST */
function checkFlag(options: AnyOptions, name: 'readOnly' | 'strict' | 'blockingSync'): void {
  const value: unknown = options[name];
  if (value === undefined || typeof value === 'boolean') return;
  throw badRequest(`options.${name} must be a boolean`, `options.${name}`, 'boolean');
}

/** @throws {StoreError} BAD_REQUEST */
function checkPort(
  options: AnyOptions,
  name: 'fileIo' | 'thread' | 'logger' | 'clock' | 'random',
): void {
  const value: unknown = options[name];
  if (value === undefined || (typeof value === 'object' && value !== null)) return;
  throw badRequest(`options.${name} must be an object`, `options.${name}`, 'object');
}
