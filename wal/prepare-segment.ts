/**
 * Makes a segment file ready for frames, off the commit path: zero-filled, header, synced, renamed
 * into place, directory synced, number recorded in the manifest. Until all of that is done nothing
 * uses it. A blank or void segment of the same number is replaced whole; nothing is written into it.
 */
import { join } from 'node:path';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { KiB, MiB } from '../src/base/units.ts';
import { datasync, writeAll } from './file-write.ts';
import { SEGMENT_BYTES, SEGMENT_HEADER } from './format.ts';
import { segmentSeed } from './frame.ts';
import { ioError } from './log-error.ts';
import type { ManifestFile } from './manifest.ts';
import { encodeSegmentHeader } from './segment-header.ts';
import { segmentName, unfinishedName } from './segment-name.ts';

const FILL_BYTES: number = 256 * KiB;
/** Dirty pages between two syncs: a sync of the commit path must not wait for much of ours. */
const FILL_SYNC_BYTES: number = 4 * MiB;

/** A segment this process created and may write to. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly seed: number;
  /** Every write is on the disk when it returns; undefined where the platform has no such thing. */
  readonly synced: FileHandle | undefined;
  /** The same file without that: for marks, and for levels below 'always'. */
  readonly plain: FileHandle;
}

export interface PrepareContext {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** undefined while the store is being created. */
  readonly manifest: ManifestFile | undefined;
  readonly now: () => number;
  readonly wantsSyncedWrites: boolean;
}

export function roundSegmentBytes(bytes: number): number {
  return Math.ceil(bytes / SEGMENT_BYTES.step) * SEGMENT_BYTES.step;
}

/** @throws {StoreError} WAL_IO_ERROR - outcome 'not-done'; what was begun is removed, and the call may be repeated. */
export async function prepareSegment(
  context: PrepareContext,
  number: number,
  sizeBytes: number,
): Promise<Segment> {
  const { fileIo, directory } = context;
  const unfinished = join(directory, unfinishedName(number));
  const path = join(directory, segmentName(number));
  let plain: FileHandle | undefined;
  let synced: FileHandle | undefined;
  let isNamed = false;
  try {
    if ((await fileIo.stat(unfinished)) !== undefined) await fileIo.remove(unfinished);
    plain = await fileIo.open(unfinished, 'create');
    await fill(
      plain,
      encodeSegmentHeader({
        number,
        sizeBytes,
        createdAt: context.now(),
        storeId: context.storeId,
      }),
      sizeBytes,
    );
    if (context.wantsSyncedWrites && fileIo.hasSyncedWrites)
      synced = await fileIo.open(unfinished, 'update-synced');
    await fileIo.rename(unfinished, path);
    isNamed = true;
    await fileIo.syncDirectory(directory);
    const { manifest } = context;
    if (manifest !== undefined && manifest.state.highestSegment < number)
      await manifest.update({ highestSegment: number });
    return { number, path, sizeBytes, seed: segmentSeed(context.storeId, number), synced, plain };
  } catch (error) {
    await closeQuietly(plain);
    await closeQuietly(synced);
    if (!isNamed) await removeQuietly(fileIo, unfinished);
    throw ioError(error, 'preparing a segment', path);
  }
}

async function fill(handle: FileHandle, header: Uint8Array, sizeBytes: number): Promise<void> {
  const zeros = new Uint8Array(Math.min(FILL_BYTES, sizeBytes));
  let unsynced = 0;
  for (let at = 0; at < sizeBytes; at += zeros.length) {
    const length = Math.min(zeros.length, sizeBytes - at);
    await writeAll(handle, zeros, 0, length, at);
    unsynced += length;
    if (unsynced < FILL_SYNC_BYTES) continue;
    await datasync(handle);
    unsynced = 0;
  }
  await writeAll(handle, header, 0, SEGMENT_HEADER.size, 0);
  await handle.sync();
}

/** The failure that brought us here is the one to report; a descriptor or file left over is met again at the next attempt. */
async function closeQuietly(handle: FileHandle | undefined): Promise<void> {
  await handle?.close().catch(() => undefined);
}

async function removeQuietly(fileIo: FileIo, path: string): Promise<void> {
  await fileIo.remove(path).catch(() => undefined);
}

export async function closeSegment(segment: Segment): Promise<void> {
  await Promise.all([segment.plain.close(), segment.synced?.close()]);
}
