/**
 * How a search is answered, by an estimate of its distances: a scan of what passes, or a walk through
 * the graph. A walk `width` nodes wide computes about 18 distances for each; when only a share
 * of the nodes passes it has to be wider to meet as many of them.
 */
import { MAX_WIDTH } from './options.ts';

export type Plan =
  | { readonly path: 'graph'; readonly width: number; readonly isFiltered: boolean }
  | { readonly path: 'scan' };

const DISTANCES_PER_WIDTH = 18;
/** A distance in the order of memory over one across the graph. */
const SCAN_COST = 0.5;

/** @param passing nodes that may be answers, of `count` nodes in the graph */
export function planSearch(count: number, passing: number, wanted: number): Plan {
  if (wanted > MAX_WIDTH) return { path: 'scan' };
  const isFiltered = passing < count;
  const width = Math.min(MAX_WIDTH, Math.ceil(wanted * Math.sqrt(count / passing)));
  if (passing * SCAN_COST <= width * DISTANCES_PER_WIDTH) return { path: 'scan' };
  return { path: 'graph', width, isFiltered };
}
