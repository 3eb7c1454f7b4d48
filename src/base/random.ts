/** The Random port: unpredictable bytes from the system, or the same bytes for the same seed. */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** Fresh bytes; the caller owns them. */
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1). */
  next(): number;
}

export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  next: () => randomBytes(4).readUInt32LE() / 2 ** 32,
};

/** Deterministic generator (mulberry32; T. Ettinger's public-domain design): for tests and simulation, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next32 = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    next: () => next32() / 2 ** 32,
    bytes(length) {
      const out = new Uint8Array(length);
      for (let i = 0; i < length; i++) out[i] = next32() >>> 24;
      return out;
    },
  };
}
