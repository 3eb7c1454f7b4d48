/** The key of a packed text (src/query/key.ts) without making the text: a copy of its bytes. */
import type { ByteWriter } from '../base/bytes.ts';
import { CUT, RANK_BYTES } from '../query/key.ts';
import { MAX_KEY_TEXT_BYTES } from '../query/limits.ts';
import { CLASS } from '../query/order.ts';
import { skipValue } from '../value/skip.ts';
import { isText, textStart } from '../value/structure.ts';

/** Writes the key and gives its rank; -1, and nothing written, when the value is no text. */
export function encodeTextAt(bytes: Uint8Array, at: number, out: ByteWriter): number {
  if (!isText(bytes[at] as number)) return -1;
  const start = textStart(bytes, at);
  const end = skipValue(bytes, at);
  out.u8(CLASS.string);
  out.raw(bytes, start, Math.min(end, start + MAX_KEY_TEXT_BYTES));
  if (end - start > MAX_KEY_TEXT_BYTES) out.u8(CUT);
  let rank = 0;
  for (let i = start; i < start + RANK_BYTES; i++)
    rank = rank * 256 + (i < end ? (bytes[i] as number) : 0);
  return rank;
}
