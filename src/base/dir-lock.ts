/** Interim. */
import type { DirectoryLock } from './file-io.ts';

export function lockDirectory(
  directory: string,
): Promise<DirectoryLock | { readonly heldBy: number | undefined }> {
  throw new Error(`not yet: ${directory}`);
}
