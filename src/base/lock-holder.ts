/** Who has a directory open for writing, as far as its lock file tells: looked at without taking the lock. */
import { join } from 'node:path';
import type { FileIo } from './file-io.ts';
import { isProvablyDead, parseOwner } from './lock-owner.ts';

/** Far more than an owner's record takes. */
const MAX_RECORD_BYTES = 4096;

/** The process that holds the lock; undefined when nobody does, or its owner is provably dead. */
export async function holderOf(
  fileIo: FileIo,
  directory: string,
): Promise<{ readonly pid: number } | undefined> {
  const path = join(directory, 'lock');
  if ((await fileIo.stat(path)) === undefined) return undefined;
  const file = await fileIo.open(path, 'read');
  try {
    const bytes = Buffer.alloc(MAX_RECORD_BYTES);
    const length = await file.read(bytes, 0, bytes.length, 0);
    const owner = parseOwner(bytes.toString('utf8', 0, length));
    if (owner === undefined || (await isProvablyDead(owner))) return undefined;
    return { pid: owner.pid };
  } finally {
    await file.close();
  }
}
