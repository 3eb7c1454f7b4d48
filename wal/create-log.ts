/**
 * Brings a log into being: the directory, segment 1, then the manifest. Before the manifest has its
 * name there is no log; whatever a dead attempt left is replaced or removed.
 */
import { dirname, join } from 'node:path';
import type { FileIo } from '../src/base/file-io.ts';
import { badRequest } from '../src/base/errors.ts';
import type { Logger } from '../src/base/logger.ts';
import { STORE_ID_BYTES } from './format.ts';
import { ioError } from './log-error.ts';
import { listLogDirectory } from './log-directory.ts';
import { type ManifestReading, createManifest, readManifest } from './manifest.ts';
import { NOTHING_ATTESTED } from './position.ts';
import { type Segment, closeSegment, prepareSegment } from './prepare-segment.ts';
import { UNFINISHED_MANIFEST_NAME, segmentName } from './segment-name.ts';
import type { Random } from '../src/base/random.ts';

const FIRST_SEGMENT = 1;
/** Of an ancestor we did not create: we may write into it or below it without being allowed to open it. */
const FORGIVEN: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOENT']);

/** Creates what is missing of the path, and gives it without symbolic links. @throws {StoreError} BAD_REQUEST, WAL_IO_ERROR */
export async function ensureDirectory(fileIo: FileIo, directory: string): Promise<string> {
  try {
    const missing: string[] = [];
    for (let path = directory; ; path = dirname(path)) {
      // Below a file there is nothing; the file itself is met one step further up.
      const stat = await fileIo.stat(path);
      if (stat?.kind === 'directory') break;
      if (stat !== undefined)
        throw badRequest(
          `'${path}' is not a directory`,
          'directory',
          'a directory, or a path where one can be created',
        );
      missing.push(path);
      if (path === dirname(path))
        throw badRequest(`there is no '${path}'`, 'directory', 'a path below a directory');
    }
    // Where names cannot be made safe, none is made: the next attempt could not tell it from an old one.
    if (missing.length > 0) await fileIo.syncDirectory(dirname(missing.at(-1) as string));
    for (const path of missing.toReversed()) {
      await fileIo.makeDirectory(path);
      await fileIo.syncDirectory(dirname(path));
    }
    return await fileIo.resolve(directory);
  } catch (error) {
    throw ioError(error, 'creating the directory', directory);
  }
}

export interface CreateOptions {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly random: Random;
  readonly logger: Logger;
  readonly now: () => number;
  readonly wantsSyncedWrites: boolean;
  readonly sizeBytes: number;
}

/** Creates an empty log; leaves nothing behind when it fails. @throws {StoreError} WAL_IO_ERROR */
export async function createLog(
  options: CreateOptions,
): Promise<{ reading: ManifestReading; segment: Segment }> {
  const { fileIo, directory } = options;
  const storeId = options.random.bytes(STORE_ID_BYTES);
  let segment: Segment | undefined;
  try {
    await removeLeftovers(fileIo, directory);
    await syncAncestors(fileIo, directory, options.logger);
    segment = await prepareSegment(
      { ...options, storeId, manifest: undefined },
      FIRST_SEGMENT,
      options.sizeBytes,
    );
    await createManifest(fileIo, directory, {
      sequence: 1,
      storeId,
      highestSegment: FIRST_SEGMENT,
      oldestSegment: FIRST_SEGMENT,
      attested: NOTHING_ATTESTED,
      extra: new Uint8Array(0),
    });
    const reading = await readManifest(fileIo, directory);
    if (reading === undefined) throw new Error('the manifest just written is not there');
    return { reading, segment };
  } catch (error) {
    if (segment !== undefined) await closeSegment(segment).catch(() => undefined);
    await undo(fileIo, directory, options.logger);
    throw ioError(error, 'creating the log', directory);
  }
}

/** Of an attempt that died: blank segments and unfinished files. The scan made sure that there is no frame. */
async function removeLeftovers(fileIo: FileIo, directory: string): Promise<void> {
  const { segments, unfinished } = await listLogDirectory(fileIo, directory);
  const names = [...segments.map(segmentName), ...unfinished];
  for (const name of names) await fileIo.remove(join(directory, name));
  if (names.length > 0) await fileIo.syncDirectory(directory);
}

/** A process that died may have created the directory, or one above it, without syncing its name. */
export async function syncAncestors(
  fileIo: FileIo,
  directory: string,
  logger: Logger,
): Promise<void> {
  for (let path = dirname(directory); ; path = dirname(path)) {
    try {
      await fileIo.syncDirectory(path);
    } catch (error) {
      if (!FORGIVEN.has((error as { code?: unknown }).code)) throw error;
      logger.log('debug', 'a directory above the log cannot be synced', { path, error });
    }
    if (path === dirname(path)) return;
  }
}

/** No partial store stays behind; with its manifest missing, what cannot be removed is no store either. */
async function undo(fileIo: FileIo, directory: string, logger: Logger): Promise<void> {
  try {
    if ((await readManifest(fileIo, directory)) !== undefined) return;
    for (const name of [segmentName(FIRST_SEGMENT), UNFINISHED_MANIFEST_NAME]) {
      const path = join(directory, name);
      if ((await fileIo.stat(path)) !== undefined) await fileIo.remove(path);
    }
  } catch (error) {
    logger.log('warn', 'what a failed creation left could not be removed', { directory, error });
  }
}
