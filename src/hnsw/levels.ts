/**
 * Which levels a node is on. The paper draws a level for each node so that one in M of a level is also
 * on the next. Here of each group of nodes with consecutive numbers exactly one is, drawn by a hash of seed
 * and group: as random, with less variance, and the number of the group finds a node's links.
 */

/** Shape of the hierarchy: one node of 2^groupShift goes up; `topLevel` is the highest level there is. */
export interface Hierarchy {
  readonly seed: number;
  readonly groupShift: number;
  readonly topLevel: number;
}

/** The highest level of a slot. */
export function levelOf(hierarchy: Hierarchy, slot: number): number {
  const { seed, groupShift, topLevel } = hierarchy;
  const mask = 2 ** groupShift - 1;
  let place = slot;
  let level = 0;
  while (level < topLevel) {
    const group = place >>> groupShift;
    if ((place & mask) !== (mix(seed, level, group) & mask)) break;
    place = group;
    level++;
  }
  return level;
}

/** Finaliser of MurmurHash3 (A. Appleby, public domain) over the three numbers. */
function mix(seed: number, level: number, group: number): number {
  let h = (seed ^ Math.imul(group + 1, 0x9e3779b1) ^ Math.imul(level + 1, 0x85ebca77)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
