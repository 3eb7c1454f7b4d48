/** The bytes of a simulated file, shared between copies until one of them is written to. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Content } from '../../../src/testing/sim-content.ts';

type Step =
  | { readonly does: 'write'; readonly on: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly does: 'resize'; readonly on: number; readonly length: number }
  | { readonly does: 'copy'; readonly on: number };

const on = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    does: fc.constant('write' as const),
    on,
    at: fc.oneof(fc.nat(30), fc.nat(1500)),
    bytes: fc.uint8Array({ maxLength: 40 }),
  }),
  fc.record({
    does: fc.constant('resize' as const),
    on,
    length: fc.oneof(fc.nat(40), fc.nat(1500)),
  }),
  fc.record({ does: fc.constant('copy' as const), on }),
);

function written(bytes: readonly number[], at: number, added: Uint8Array): number[] {
  const after = [...bytes];
  while (after.length < at + added.length) after.push(0);
  after.splice(at, added.length, ...added);
  return after;
}

describe('the content of a simulated file', () => {
  test('TST-2 copies behave as plain arrays do: no write to one reaches another', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.uint8Array({ maxLength: 20 }),
        (steps, start) => {
          const contents = [new Content(start.slice())];
          const plain: number[][] = [[...start]];
          for (const one of steps) {
            const which = one.on % contents.length;
            const content = contents[which] as Content;
            const bytes = plain[which] as number[];
            if (one.does === 'copy') {
              contents.push(content.copy());
              plain.push([...bytes]);
            } else if (one.does === 'resize') {
              content.resize(one.length);
              plain[which] = Array.from({ length: one.length }, (_, i) => bytes[i] ?? 0);
            } else {
              content.write(one.bytes, one.at);
              plain[which] =
                one.bytes.length === 0 ? padded(bytes, one.at) : written(bytes, one.at, one.bytes);
            }
            for (const [i, other] of contents.entries())
              expect([...other.view()]).toEqual(plain[i]);
          }
          for (const [i, one] of contents.entries())
            for (const [j, other] of contents.entries())
              expect(one.digest() === other.digest()).toBe(String(plain[i]) === String(plain[j]));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('reads what is there and not more, at any position', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 30 }),
        fc.nat(40),
        fc.nat(40),
        (bytes, position, length) => {
          const into = new Uint8Array(50).fill(200);
          const expected = [...bytes].slice(position, position + length);
          expect(new Content(bytes).read(into, 3, length, position)).toBe(expected.length);
          expect([...into.subarray(3, 3 + expected.length)]).toEqual(expected);
          expect([...into.subarray(3 + expected.length)].every((byte) => byte === 200)).toBe(true);
        },
      ),
    );
  });

  test('its digest follows each change, also of one byte and of the length', () => {
    const content = new Content(new Uint8Array(100));
    const digests = [content.digest()];
    content.write(Uint8Array.of(1), 50);
    digests.push(content.digest());
    content.resize(101);
    digests.push(content.digest());
    content.resize(99);
    digests.push(content.digest());
    expect(new Set(digests).size).toBe(4);
    content.resize(100);
    content.write(Uint8Array.of(0), 50);
    expect(content.digest()).toBe(digests[0]);
    expect(content.copy().digest()).toBe(digests[0]);
  });
});

/** A write of nothing is never made by a disk; on the content itself it only makes room. */
function padded(bytes: readonly number[], length: number): number[] {
  return Array.from({ length: Math.max(length, bytes.length) }, (_, i) => bytes[i] ?? 0);
}
