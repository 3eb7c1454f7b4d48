/**
 * Answers of an index: plans, lets the kernel compute, and turns keys into slots and distances.
 * min(wanted, passing) answers always: when a walk brings fewer, what passes is scanned.
 */
import type { Graph } from './graph.ts';
import { distanceOf } from './metric.ts';
import { MAX_WIDTH } from './options.ts';
import { type Plan, planSearch, planWider } from './plan.ts';

/** Slots by distance, nearest first, then by slot. */
export interface SearchAnswer {
  readonly slots: Uint32Array;
  readonly distances: Float32Array;
}

export interface SearchRequest {
  readonly k: number;
  readonly ef: number;
  /** Nodes that may be answers, already in `passing`; undefined: all live ones. */
  readonly passing: number | undefined;
  readonly exact: boolean;
}

/** Of codes, at least so many of the nearest are ranked by rows, and twice as many as are wanted. */
const LEAST_RANKED = 32;

/** Answers for the query in place. */
export function searchGraph(graph: Graph, request: SearchRequest): SearchAnswer {
  const passing = request.passing ?? graph.count - graph.deleted;
  const k = Math.min(request.k, passing);
  if (k === 0) return { slots: new Uint32Array(), distances: new Float32Array() };
  graph.usePassing(request.passing === undefined ? 'live' : 'passing');
  const wanted = Math.max(request.ef, k);
  let plan: Plan = request.exact ? { path: 'scan' } : planSearch(graph.count, passing, wanted);
  while (plan.path === 'graph') {
    const { width, isFiltered } = plan;
    const limit = Math.min(MAX_WIDTH, Math.max(wanted, rankedFor(k)));
    const { kernel } = graph.loaded;
    const found = kernel.search(graph.kind, width, limit, rankedFor(k), isFiltered ? 1 : 0);
    if (found >= Math.max(k, plan.expected))
      return answerOf(graph, isFiltered ? 'resultKeys' : 'poolKeys', k);
    plan = planWider(plan, passing);
  }
  return scanGraph(graph, k, request.exact);
}

function rankedFor(k: number): number {
  return Math.min(MAX_WIDTH, Math.max(LEAST_RANKED, 2 * k));
}

function scanGraph(graph: Graph, k: number, exact: boolean): SearchAnswer {
  const ranked = rankedFor(k);
  if (2 * k > MAX_WIDTH) return scanAndSort(graph, k);
  const words = Math.ceil(graph.count / 32);
  const { kernel } = graph.loaded;
  if (exact) kernel.scan(graph.rowKind, words, k, 0);
  else kernel.scan(graph.kind, words, ranked, ranked);
  return answerOf(graph, 'poolKeys', k);
}

/** More answers than a pool holds: all keys of all that pass, sorted. */
function scanAndSort(graph: Graph, k: number): SearchAnswer {
  const { layout, words, loaded, rowKind } = graph;
  const bits = graph.passingAt >> 2;
  const pairs = new Uint32Array(2 * graph.count);
  let found = 0;
  let n = 0;
  const flush = (): void => {
    if (n === 0) return;
    loaded.kernel.rowKeys(rowKind, n);
    for (let i = 0; i < n; i++) {
      pairs[found++] = words[(layout.list >> 2) + i] ?? 0;
      pairs[found++] = words[(layout.listKeys >> 2) + i] ?? 0;
    }
    n = 0;
  };
  for (let slot = 0; slot < graph.count; slot++) {
    if ((((words[bits + (slot >>> 5)] ?? 0) >>> (slot & 31)) & 1) === 0) continue;
    words[(layout.list >> 2) + n++] = slot;
    if (n === MAX_WIDTH) flush();
  }
  flush();
  // A pair is one 64-bit number whose high half is the key: sorted natively, no object per number.
  new BigUint64Array(pairs.buffer, 0, found >> 1).sort();
  const slots = new Uint32Array(k);
  const distances = new Float32Array(k);
  for (let i = 0; i < k; i++) {
    slots[i] = pairs[2 * i] ?? 0;
    distances[i] = distanceOf(layout.settings.metric, pairs[2 * i + 1] ?? 0);
  }
  return { slots, distances };
}

/** The first k entries of a pool; equal distances in the order of slots. */
function answerOf(graph: Graph, pool: 'poolKeys' | 'resultKeys', k: number): SearchAnswer {
  const { layout, words } = graph;
  const { metric } = layout.settings;
  const keys = layout[pool] >> 2;
  const marks = (pool === 'poolKeys' ? layout.poolMarks : layout.resultMarks) >> 2;
  const slots = new Uint32Array(k);
  const distances = new Float32Array(k);
  for (let i = 0; i < k; i++) {
    const key = words[keys + i] ?? 0;
    const slot = (words[marks + i] ?? 0) >>> 1;
    distances[i] = distanceOf(metric, key);
    let place = i;
    while (place > 0 && words[keys + place - 1] === key && (slots[place - 1] ?? 0) > slot) {
      slots[place] = slots[place - 1] ?? 0;
      place--;
    }
    slots[place] = slot;
  }
  return { slots, distances };
}
