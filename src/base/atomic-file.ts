/**
 * Small files replaced whole: whoever opens the name finds the old content or the new, never a
 * part, whenever the power fails. Written aside, synced, renamed, and the directory synced, so that
 * after the promise resolves the new content stays. One writer per name.
 */
import { join } from 'node:path';
import type { FileIo } from './file-io.ts';

/** What a killed writer leaves behind; the next one clears it away, a directory listing may skip it. */
export const ASIDE_SUFFIX = '.tmp';

/** Makes `bytes` the durable content of the file `name`, which may exist already. */
export async function writeFileAtomically(
  fileIo: FileIo,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = join(directory, name);
  const aside = path + ASIDE_SUFFIX;
  // Created anew, never opened: an old one may have been linked or be open elsewhere.
  if ((await fileIo.stat(aside)) !== undefined) await fileIo.remove(aside);
  const file = await fileIo.open(aside, 'create');
  try {
    await new Promise<void>((resolve, reject) => {
      file.write(bytes, 0, bytes.length, 0, (error) => (error ? reject(error) : resolve()));
    });
    await file.sync();
  } finally {
    await file.close();
  }
  await fileIo.rename(aside, path);
  await fileIo.syncDirectory(directory);
}
