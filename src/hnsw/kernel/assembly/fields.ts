/**
 * Where the kernel finds things. It has no state of its own: the host (../../layout.ts, the only
 * other place that knows this order) lays out the memory and writes the addresses here as u32.
 * HEADER describes the index and is the same for all threads; SCRATCH is one thread's working space,
 * an import, so that each worker gets its own. Addresses are bytes, links are slots (node numbers).
 */

/** Ends a list of links that is not full. */
export const NONE: u32 = 0xffffffff;
const HEADER: usize = 64;

@external("env", "scratch")
declare const SCRATCH: usize;

@inline function header(field: usize): u32 {
  return load<u32>(HEADER + (field << 2));
}

@inline function scratch(field: usize): u32 {
  return load<u32>(SCRATCH + (field << 2));
}

// ---- The index -------------------------------------------------------------------------------------

@inline export function entrySlot(): u32 { return header(0); }
@inline export function topLevel(): i32 { return header(1); }
/** Nodes come in extents of 2^shift: blocks (links, code), links of upper levels, rows; see layout.ts. */
@inline export function extents(): usize { return header(2); }
@inline export function extentBytes(): usize { return header(3); }
@inline export function extentShift(): u32 { return header(4); }
@inline export function blockBytes(): usize { return header(5); }
/** Size of the links of level 0, which is where the code of a block begins. */
@inline export function linkBytes(): usize { return header(6); }
/** Bytes of a code that take part in a distance, padding with zeros included. */
@inline export function codeBytes(): usize { return header(7); }
@inline export function rowsOffset(): usize { return header(8); }
@inline export function rowStride(): usize { return header(9); }
@inline export function rowBytes(): usize { return header(10); }
/** M of the paper: links a node selects, and holds on upper levels; level 0 holds twice as many. */
@inline export function linksPerLevel(): u32 { return header(11); }
/** One node in 2^groupShift of a level is also on the next. */
@inline export function groupShift(): u32 { return header(12); }
@inline export function upperStride(): usize { return header(13); }
@inline export function upperOffset(level: u32): usize { return header(13 + level); }
/** Cache lines of a code worth touching ahead. */
@inline export function touchLines(): u32 { return header(19); }
/** Quantiser: f32 offset and inverse step of each dimension, f32 step, i16 weight of a pair. */
@inline export function offsets(): usize { return header(20); }
@inline export function inverses(): usize { return header(21); }
@inline export function steps(): usize { return header(22); }
@inline export function weights(): usize { return header(23); }
/** Largest magnitude of a component of a quantised query, so that no sum overflows. */
@inline export function queryLimit(): f32 { return <f32>header(24); }

// ---- One thread's working space --------------------------------------------------------------------

@inline export function visited(): usize { return scratch(0); }
@inline export function visitedBytes(): usize { return scratch(1); }
@inline export function epoch(): u32 { return scratch(2); }
@inline export function query(): usize { return scratch(3); }
@inline export function queryCode(): usize { return scratch(4); }
@inline export function centreCode(): usize { return scratch(5); }
@inline export function pairCode(): usize { return scratch(6); }
/** Slots whose distances are wanted, and their keys. */
@inline export function list(): usize { return scratch(7); }
@inline export function listKeys(): usize { return scratch(8); }
/** Sorted pools: u32 keys and, beside them, u32 marks (slot << 1 | expanded). */
@inline export function poolKeys(): usize { return scratch(9); }
@inline export function poolMarks(): usize { return scratch(10); }
@inline export function resultKeys(): usize { return scratch(11); }
@inline export function resultMarks(): usize { return scratch(12); }
@inline export function chosen(): usize { return scratch(13); }
@inline export function chosenKeys(): usize { return scratch(14); }
@inline export function sortedKeys(): usize { return scratch(15); }
@inline export function sortedMarks(): usize { return scratch(16); }
/** Bit i of the words here: may slot i be an answer? */
@inline export function passing(): usize { return scratch(17); }
@inline export function resultSize(): u32 { return scratch(18); }
@inline export function setResultSize(size: u32): void { store<u32>(SCRATCH + 72, size); }

/** Distances computed so far; the host reads and resets it. */
@inline export function countDistances(n: u32): void {
  store<u32>(SCRATCH + 76, scratch(19) + n);
}

/** Keeps what was loaded only to bring it into the cache, or the compiler would drop the loads. */
@inline export function sink(value: u32): void { store<u32>(SCRATCH + 80, value); }

/** Forgets what was visited: a new number, and zeros again when the numbers of a byte are used up. */
export function nextEpoch(): u32 {
  let next = epoch() + 1;
  if (next > 255) {
    memory.fill(visited(), 0, visitedBytes());
    next = 1;
  }
  store<u32>(SCRATCH + 8, next);
  return next;
}

// ---- Addresses of a node ---------------------------------------------------------------------------

@inline export function extentOf(slot: u32): usize {
  return extents() + <usize>(slot >> extentShift()) * extentBytes();
}

@inline function indexOf(slot: u32): usize {
  return <usize>(slot & ((1 << extentShift()) - 1));
}

/** The links of level 0. */
@inline export function blockOf(slot: u32): usize {
  return extentOf(slot) + indexOf(slot) * blockBytes();
}

@inline export function rowOf(slot: u32): usize {
  return extentOf(slot) + rowsOffset() + indexOf(slot) * rowStride();
}

/** Of each group of nodes one is on the next level, so the number of the group finds its links. */
@inline export function linksOf(slot: u32, level: i32): usize {
  if (level == 0) return blockOf(slot);
  const place = indexOf(slot) >> (<u32>level * groupShift());
  return extentOf(slot) + upperOffset(level) + place * upperStride();
}

@inline export function capacityOf(level: i32): u32 {
  return level == 0 ? linksPerLevel() << 1 : linksPerLevel();
}
