/**
 * How a search is answered, by an estimate of its distances: a scan of what passes, or a walk through
 * the graph. A walk `width` nodes wide computes about 18 distances for each; when only a share
 * of the nodes passes it has to be wider to meet as many of them, and wider still where they are rare.
 */
import { MAX_WIDTH } from './options.ts';

interface GraphPlan {
  readonly path: 'graph';
  readonly width: number;
  readonly isFiltered: boolean;
  /** Passing nodes a walk should meet; when it meets fewer they are rarer here than elsewhere. */
  readonly expected: number;
}

export type Plan = GraphPlan | { readonly path: 'scan' };

const DISTANCES_PER_WIDTH = 18;
/** A distance in the order of memory over one across the graph. */
const SCAN_COST = 0.5;
const WIDENING = 4;
/** Of the nodes that would pass if those that do lay evenly. */
const LEAST_MET = 0.5;

/** @param passing nodes that may be answers, of `count` nodes in the graph */
export function planSearch(count: number, passing: number, wanted: number): Plan {
  const width = Math.ceil(wanted * Math.sqrt(count / passing));
  const expected = passing < count ? (LEAST_MET * width * passing) / count : 0;
  return cheaper({ path: 'graph', width, isFiltered: passing < count, expected }, passing);
}

/** After a walk that met fewer passing nodes than it should have. */
export function planWider(plan: GraphPlan, passing: number): Plan {
  return cheaper({ ...plan, width: plan.width * WIDENING }, passing);
}

function cheaper(plan: GraphPlan, passing: number): Plan {
  const walk = plan.width * DISTANCES_PER_WIDTH;
  return plan.width > MAX_WIDTH || passing * SCAN_COST <= walk ? { path: 'scan' } : plan;
}
