/**
 * Seeded random numbers (mulberry32): every contestant of a bench draws the same sequence.
 */

/**
 * @param {number} seed
 * @returns {() => number} next unsigned 32-bit integer
 */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
