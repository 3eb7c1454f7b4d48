/** Payloads every random history should meet: nested, hostile, long, and values JSON cannot hold. */
import type { Fields } from './commands.ts';

/** Its result is too long to be kept whole with an idempotency key. */
const LONG = 'много слов '.repeat(400);

/** The payload of a kind from 0 to 6; `n`, from 0 to 6, varies it. */
export function commonPayload(kind: number, n: number): Fields {
  switch (kind) {
    case 0:
      return {};
    case 1:
      return { n };
    case 2:
      return { n, locked: n > 4, text: 'x'.repeat(n * 9) };
    case 3:
      return { deep: { a: [n, { b: null }], c: -0 } };
    case 4:
      return { big: 2n ** 60n + BigInt(n), half: n / 7 };
    case 5:
      return JSON.parse(`{"__proto__":${n},"constructor":{"n":"\\u2028"}}`) as Fields;
    default:
      return { text: n === 6 ? LONG : null, list: [] };
  }
}
