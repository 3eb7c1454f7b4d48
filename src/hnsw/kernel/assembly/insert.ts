/**
 * INSERT and the choice of neighbours: Algorithms 1 and 4 of Malkov & Yashunin (2018). As in the
 * authors' library candidates are not extended, pruned ones not kept, and of one level's neighbours
 * the nearest alone is where the next level starts.
 */
import { keys4, listCodeKeys, codeOf, padList } from "./distance";
import { NONE, capacityOf, centreCode, chosen, chosenKeys, codeBytes, epoch, linksOf, linksPerLevel, list, listKeys, pairCode, poolKeys, poolMarks, queryCode, sortedKeys, sortedMarks, topLevel, visited } from "./fields";
import { pairQuery } from "./code";
import { clearPool, put } from "./pool";
import { All, descend, searchLayer, startPool } from "./traverse";

/**
 * Algorithm 4: of n candidates, nearest first, keeps those that are nearer to the centre than to any kept
 * before, so that links lead in different directions, until `most` are. Slots go to `chosen`, which
 * has `kept` of them when it starts; returns how many it has.
 */
function choose<E, D>(keys: usize, marks: usize, n: u32, kept: u32, most: u32): u32 {
  const slots = chosen(), bytes = codeBytes();
  for (let i: u32 = 0; i < n && kept < most; i++) {
    const slot = load<u32>(marks + (i << 2)) >>> 1, key = load<u32>(keys + (i << 2));
    let isApart = true;
    if (kept > 0) {
      const q = pairQuery<E, D>(slot, pairCode()), limit = i32x4.splat(key);
      padList(slots, kept);
      for (let j: u32 = 0; j < kept; j += 4) {
        const at = slots + (j << 2);
        const between = keys4<E, D>(q, codeOf(load<u32>(at)), codeOf(load<u32>(at, 4)),
          codeOf(load<u32>(at, 8)), codeOf(load<u32>(at, 12)), bytes);
        if (v128.any_true(i32x4.lt_u(between, limit))) { isApart = false; break; }
      }
    }
    if (!isApart) continue;
    store<u32>(slots + (kept << 2), slot);
    store<u32>(chosenKeys() + (kept << 2), key);
    kept++;
  }
  return kept;
}

/** Links `from` back to `to`; a full list is chosen anew among its nodes and the new one. */
function linkBack<E, D>(from: u32, to: u32, key: u32, level: i32): void {
  const capacity = capacityOf(level), links = linksOf(from, level);
  let n: u32 = 0;
  while (n < capacity && load<u32>(links + (n << 2)) != NONE) n++;
  if (n < capacity) {
    store<u32>(links + (n << 2), to);
    return;
  }
  memory.copy(list(), links, capacity << 2);
  listCodeKeys<E, D>(pairQuery<E, D>(from, centreCode()), capacity);
  const keys = sortedKeys(), marks = sortedMarks();
  store<u32>(list() + (capacity << 2), to);
  store<u32>(listKeys() + (capacity << 2), key);
  for (let i: u32 = 0; i <= capacity; i++) {
    const own = load<u32>(listKeys() + (i << 2)), mark = load<u32>(list() + (i << 2)) << 1;
    let place = i;
    for (; place > 0 && load<u32>(keys + ((place - 1) << 2)) > own; place--) {
      store<u32>(keys + (place << 2), load<u32>(keys + ((place - 1) << 2)));
      store<u32>(marks + (place << 2), load<u32>(marks + ((place - 1) << 2)));
    }
    store<u32>(keys + (place << 2), own);
    store<u32>(marks + (place << 2), mark);
  }
  const kept = choose<E, D>(keys, marks, capacity + 1, 0, capacity);
  memory.copy(links, chosen(), kept << 2);
  memory.fill(links + (kept << 2), 0xff, (capacity - kept) << 2);
}

/** Links a node on its levels from `level` down to `bottom`. Its code is there; its lists are emptied first. */
export function insertNode<E, D>(slot: u32, level: i32, bottom: i32, efConstruction: u32): void {
  for (let l = level; l >= bottom; l--) memory.fill(linksOf(slot, l), 0xff, capacityOf(l) << 2);
  const q = pairQuery<E, D>(slot, queryCode()), m = linksPerLevel();
  const top = level < topLevel() ? level : topLevel();
  let entry = descend<E, D>(q, top);
  // linkBack chooses too: what is chosen here moves behind the room that takes.
  const behind: usize = ((m << 1) + 4) << 2;
  const mine = chosen() + behind, mineKeys = chosenKeys() + behind;
  for (let l = top; l >= bottom; l--) {
    startPool(<u32>entry, <u32>(entry >> 32), efConstruction);
    store<u8>(visited() + slot, <u8>epoch());
    const size = searchLayer<E, D, All>(q, efConstruction, 1, l, 0);
    entry = <u64>load<u32>(poolKeys()) << 32 | <u64>(load<u32>(poolMarks()) >>> 1);
    const kept = choose<E, D>(poolKeys(), poolMarks(), size, 0, m);
    memory.copy(linksOf(slot, l), chosen(), kept << 2);
    memory.copy(mine, chosen(), kept << 2);
    memory.copy(mineKeys, chosenKeys(), kept << 2);
    for (let i: u32 = 0; i < kept; i++)
      linkBack<E, D>(load<u32>(mine + (i << 2)), slot, load<u32>(mineKeys + (i << 2)), l);
  }
}

/**
 * Mends the links of level 0 of a node that lost some: the first `own` slots of the list stay, and what Algorithm 4
 * chooses among the other n - own fills up to `most`.
 */
export function relinkNode<E, D>(slot: u32, own: u32, n: u32, most: u32): void {
  const keys = poolKeys(), marks = poolMarks(), capacity = capacityOf(0), links = linksOf(slot, 0);
  memory.copy(chosen(), list(), own << 2);
  if (n > 0) listCodeKeys<E, D>(pairQuery<E, D>(slot, centreCode()), n);
  clearPool(keys, n);
  for (let i = own; i < n; i++)
    put(keys, marks, load<u32>(listKeys() + (i << 2)), load<u32>(list() + (i << 2)) << 1, i - own, NONE);
  const kept = choose<E, D>(keys, marks, n - own, own, most);
  memory.copy(links, chosen(), kept << 2);
  memory.fill(links + (kept << 2), 0xff, (capacity - kept) << 2);
}
