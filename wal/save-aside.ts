/**
 * Copies of what a repair is about to take out of a log, in a directory of their own under the
 * log's, byte for byte and synced before anything is changed.
 */
import { join } from 'node:path';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { MiB } from '../src/base/units.ts';
import { writeAll } from './file-write.ts';

const CHUNK_BYTES: number = 1 * MiB;
const PREFIX = 'damaged-';
/** Repairs of one store before somebody should look. */
const MAX_REPAIRS = 10_000;

/** Is this what a repair saved? */
export function isSavedAside(name: string): boolean {
  return /^damaged-\d+$/.test(name);
}

/** Copies the files to DIR/damaged-N, N being the first number that is free; `report` says why. Gives the new directory. */
export async function saveAside(
  fileIo: FileIo,
  directory: string,
  names: readonly string[],
  report: string,
): Promise<string> {
  const target = await makeTarget(fileIo, directory);
  for (const name of names) await copyFile(fileIo, join(directory, name), join(target, name));
  const text = Buffer.from(report);
  const handle = await fileIo.open(join(target, 'report.json'), 'create');
  await finish(handle, () => writeAll(handle, text, 0, text.length, 0));
  await fileIo.syncDirectory(target);
  await fileIo.syncDirectory(directory);
  return target;
}

async function makeTarget(fileIo: FileIo, directory: string): Promise<string> {
  for (let number = 1; number <= MAX_REPAIRS; number++) {
    const path = join(directory, `${PREFIX}${number}`);
    if (await isFree(fileIo, path)) {
      await fileIo.makeDirectory(path);
      return path;
    }
  }
  throw Object.assign(new Error(`${MAX_REPAIRS} repairs were saved already`), { code: 'EEXIST' });
}

async function isFree(fileIo: FileIo, path: string): Promise<boolean> {
  return (await fileIo.stat(path)) === undefined;
}

async function copyFile(fileIo: FileIo, from: string, to: string): Promise<void> {
  const source = await fileIo.open(from, 'read');
  try {
    const copy = await fileIo.open(to, 'create');
    await finish(copy, async () => {
      const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      for (let at = 0; ; at += buffer.length) {
        const length = await source.read(buffer, 0, buffer.length, at);
        if (length > 0) await writeAll(copy, buffer, 0, length, at);
        if (length < buffer.length) return;
      }
    });
  } finally {
    await source.close();
  }
}

async function finish(handle: FileHandle, write: () => Promise<void>): Promise<void> {
  try {
    await write();
    await handle.sync();
  } finally {
    await handle.close();
  }
}
