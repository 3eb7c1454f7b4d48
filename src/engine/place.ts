/** Where a store is said to be: checked before anything looks there. */
import { badRequest } from '../base/errors.ts';
import type { FileIo } from '../base/file-io.ts';
import { checkObject } from './write-options.ts';

/** @throws {StoreError} BAD_REQUEST */
export function checkLocation(
  location: unknown,
  path: string = 'location',
): asserts location is string {
  if (typeof location !== 'string' || location.length === 0 || location.includes('\0')) {
    const message = `${path} must be a directory or ':memory:'`;
    throw badRequest(message, path, 'non-empty string without NUL');
  }
}

/** For functions on a closed store, whose only option is the disk. @throws {StoreError} BAD_REQUEST */
export function checkPlace(
  directory: unknown,
  options: { readonly fileIo?: FileIo | undefined },
): { readonly fileIo: FileIo | undefined } {
  checkLocation(directory);
  for (const name in checkObject(options, 'options')) {
    if (name !== 'fileIo')
      throw badRequest(`there is no option ${JSON.stringify(name)}`, `options.${name}`);
  }
  return { fileIo: options.fileIo };
}
