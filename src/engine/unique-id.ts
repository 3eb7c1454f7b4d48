/** Ids for callers that bring none: UUIDv7 (RFC 9562, section 5.7), so that ids sort by the time they were made. */
import type { Random } from '../base/random.ts';

export function uuidV7(now: number, random: Random): string {
  const bytes = random.bytes(16);
  const time = Math.max(0, now);
  for (let i = 0, rest = time; i < 6; i++) {
    bytes[5 - i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
