/** Page cursors: opaque text that names the query, the store and the last id of a page. */
import { crc32c } from '../base/crc32c.ts';
import { badRequest } from '../base/errors.ts';

/** Of a query on a store: cursors of another do not fit. */
export function identityOf(storeId: string, selection: string, descending: boolean): string {
  const bytes = Buffer.from(`${storeId}|${descending ? 'desc' : 'asc'}|${selection}`);
  return crc32c(bytes, 0, bytes.length).toString(36);
}

export function encodeCursor(identity: string, lastId: string): string {
  return Buffer.from(`1.${identity}.${lastId}`).toString('base64url');
}

/** The last id of the page before. @throws {StoreError} BAD_REQUEST - malformed, or of another query or store. */
export function decodeCursor(cursor: unknown, identity: string): Buffer {
  const text = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString('utf8') : '';
  const match = /^1\.([0-9a-z]+)\.(.+)$/su.exec(text);
  if (match === null) throw badRequest('the cursor is not one this store gave', 'cursor');
  if (match[1] !== identity)
    throw badRequest('the cursor belongs to another query or store', 'cursor');
  return Buffer.from(match[2] as string);
}
