/**
 * A graph copied without its deleted nodes, in breadth-first order from the entry point, so that nodes met
 * one after the other lie side by side (for the gain see Coleman et al., "Graph Reordering for
 * Cache-Efficient Near Neighbor Search", 2022). Links of level 0 are kept; a node that loses some
 * gets as many others, chosen among the links of those that go. Upper levels are linked anew.
 */
import { Graph } from './graph.ts';
import { NO_LINK } from './layout.ts';
import { MAX_WIDTH } from './options.ts';

/** Slot of what is not there. */
export const NO_SLOT: number = NO_LINK;
/** Beyond this share of deleted nodes too little of the graph is left to mend. */
const MENDABLE_SHARE = 1 / 3;

export interface Compacted {
  readonly graph: Graph;
  /** New slot of each old one, or NO_SLOT. */
  readonly slots: Uint32Array;
}

export function compact(old: Graph): Compacted {
  const graph = new Graph(old.layout.settings, old.loaded.name);
  const order = breadthFirst(old);
  const slots = new Uint32Array(old.count).fill(NO_SLOT);
  order.forEach((from, to) => (slots[from] = to));
  if (old.deleted > old.count * MENDABLE_SHARE) {
    for (const from of order) {
      graph.query.set(old.row(from));
      graph.append();
    }
    return { graph, slots };
  }
  graph.reserve(order.length);
  for (const from of order) graph.copyRow(old.row(from));
  graph.encodeAll();
  copyLinks(old, graph, order, slots);
  for (let slot = 0; slot < graph.count; slot++) if (graph.levelOf(slot) > 0) graph.link(slot, 1);
  for (const slot of unreached(graph)) graph.link(slot, 0);
  return { graph, slots };
}

/** Live nodes in the order a walk in all directions meets them; then what it does not meet. */
function breadthFirst(graph: Graph): Uint32Array {
  const { count } = graph;
  const queue = walk(graph);
  const order = new Uint32Array(count - graph.deleted);
  let n = 0;
  const isMet = new Uint8Array(count);
  for (const slot of queue) {
    isMet[slot] = 1;
    if (graph.isLive(slot)) order[n++] = slot;
  }
  for (let slot = 0; slot < count; slot++)
    if (isMet[slot] === 0 && graph.isLive(slot)) order[n++] = slot;
  return order;
}

/** Nodes in breadth-first order from the entry point, through deleted ones too. */
function walk(graph: Graph): Uint32Array {
  const queue = new Uint32Array(graph.count);
  if (graph.count === 0) return queue;
  const isMet = new Uint8Array(graph.count);
  queue[0] = graph.entry;
  isMet[graph.entry] = 1;
  let end = 1;
  for (let at = 0; at < end; at++) {
    for (const to of linksOf(graph, queue[at] ?? 0)) {
      if (isMet[to] === 1) continue;
      isMet[to] = 1;
      queue[end++] = to;
    }
  }
  return queue.subarray(0, end);
}

function unreached(graph: Graph): number[] {
  const isMet = new Uint8Array(graph.count);
  for (const slot of walk(graph)) isMet[slot] = 1;
  const rest: number[] = [];
  isMet.forEach((met, slot) => {
    if (met === 0) rest.push(slot);
  });
  return rest;
}

function copyLinks(old: Graph, graph: Graph, order: Uint32Array, slots: Uint32Array): void {
  const seenBy = new Uint32Array(graph.count).fill(NO_SLOT);
  const list = graph.words.subarray(graph.layout.list >> 2, (graph.layout.list >> 2) + MAX_WIDTH);
  order.forEach((from, to) => {
    seenBy[to] = to;
    let n = 0;
    const offer = (link: number): void => {
      const slot = slots[link] ?? NO_SLOT;
      if (slot === NO_SLOT || seenBy[slot] === to || n === MAX_WIDTH) return;
      seenBy[slot] = to;
      list[n++] = slot;
    };
    const links = linksOf(old, from);
    for (const link of links) offer(link);
    const own = n;
    for (const link of links)
      if (slots[link] === NO_SLOT) for (const further of linksOf(old, link)) offer(further);
    if (own < links.length) {
      graph.loaded.kernel.relink(graph.kind, to, own, n, links.length);
      return;
    }
    const target = graph.links(to, 0).fill(NO_LINK);
    target.set(list.subarray(0, n));
  });
}

/** The links of level 0. */
function linksOf(graph: Graph, slot: number): Uint32Array {
  const links = graph.links(slot, 0);
  const end = links.indexOf(NO_LINK);
  return end < 0 ? links : links.subarray(0, end);
}
