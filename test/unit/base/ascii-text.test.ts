import { expect, it } from 'vitest';
import { asciiText } from '../../../src/base/ascii-text.ts';

const bytes = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');

it('gives every text of 1 to 16 bytes that does not lie at the end of the buffer', () => {
  for (let size = 1; size <= 18; size++) {
    for (let at = 0; at + size <= bytes.length; at++) {
      const isFit = size <= 16 && at + 16 <= bytes.length;
      const text = isFit ? bytes.toString('latin1', at, at + size) : undefined;
      expect(asciiText(bytes, at, size)).toBe(text);
    }
  }
});

it('gives nothing where one byte is not ASCII', () => {
  for (let size = 1; size <= 16; size++) {
    for (let place = 0; place < size; place++) {
      const changed = Buffer.from(bytes);
      changed[4 + place] = 0x80;
      expect(asciiText(changed, 4, size)).toBeUndefined();
      expect(asciiText(changed, 5 + place, size)).toBe(
        bytes.toString('latin1', 5 + place, 5 + place + size),
      );
    }
  }
});
