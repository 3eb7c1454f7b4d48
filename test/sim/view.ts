/**
 * Everything a store shows, as the text the reference model gives for the same state, and a recount
 * of its counters by a plain scan.
 */
import type { Instance } from '../../src/engine/api/instance.ts';
import type { ReadStore } from '../../src/engine/api/store.ts';
import { imageOf, stateOf } from '../unit/engine/store-state.ts';
import { textOf } from './commands.ts';
import type { ModelState } from './model-state.ts';

interface Sizes {
  readonly instances: { readonly living: number; readonly deleted: number };
  readonly idempotency: { readonly keys: number };
}

/**
 * Memory as one value: all that a fold makes, and how often each handle was used, also of those that
 * are free. The next process must find the same.
 */
export function memoryOf(store: ReadStore): string {
  const state = stateOf(store);
  const { instances } = state;
  const used: number[][] = [];
  for (let handle = 0; handle < instances.rows.rows; handle++) {
    const generation = instances.generation(handle);
    // A handle that was taken and given back has none.
    if (generation > 0) used.push([handle, generation]);
  }
  return textOf([imageOf(state), used]);
}

/**
 * Throws when the store differs from the model, or its counters from its rows. Deleted instances
 * are readable until a retention that counts by the clock: with `livingOnly` they are only counted.
 */
export function checkView(store: ReadStore, model: ModelState, livingOnly: boolean = false): void {
  const living = [...store.instances.iterate()];
  const gone: Instance[] = [];
  for (const row of model.instances.values()) {
    const isWanted = row.deleted && !livingOnly;
    const found = isWanted ? store.instances.get(row.id, { deleted: true }) : undefined;
    if (found !== undefined) gone.push(found);
  }
  const sizes = store.stats() as unknown as Sizes;
  const text = [
    `offset ${store.offset}`,
    ...machineLines(store),
    ...[...living, ...gone].map((row) => textOf(row)).sort(),
    `keys ${sizes.idempotency.keys}`,
  ].join('\n');
  const expected = livingOnly ? model.textWith((row) => !row.deleted) : model.text;
  if (text !== expected) throw new Error(firstDifference(text, expected));
  recount(store, living, sizes);
  const deleted = model.deletions.length;
  if (sizes.instances.deleted !== deleted)
    throw new Error(`${sizes.instances.deleted} deleted instances are counted, not ${deleted}`);
}

function machineLines(store: ReadStore): string[] {
  const lines: string[] = [];
  for (const { name, versions } of store.machines.list()) {
    for (const version of versions) {
      const definition = store.machines.get(name, version) as { indexes?: readonly string[] };
      lines.push(`machine ${textOf({ ...definition, indexes: definition.indexes ?? [] })}`);
    }
  }
  return lines.sort();
}

function recount(store: ReadStore, living: readonly Instance[], sizes: Sizes): void {
  const byState = new Map<string, number>();
  for (const { machine, version, state } of living) {
    const place = JSON.stringify([machine, version, state]);
    byState.set(place, (byState.get(place) ?? 0) + 1);
  }
  for (const [place, count] of byState) {
    const [machine, version, state] = JSON.parse(place) as [string, number, string];
    const counted = store.instances.count({ machine, version, state });
    if (counted !== count) throw new Error(`counted ${counted} of ${place}, there are ${count}`);
  }
  const total = store.instances.count();
  if (total !== living.length || sizes.instances.living !== total)
    throw new Error(`counted ${total} and ${sizes.instances.living} of ${living.length} instances`);
}

function firstDifference(found: string, expected: string): string {
  const [a, b] = [found.split('\n'), expected.split('\n')];
  const extra = a.filter((line) => !b.includes(line)).slice(0, 4);
  const missing = b.filter((line) => !a.includes(line)).slice(0, 4);
  const short = (lines: string[]): string =>
    lines.map((line) => `\n    ${line.length > 400 ? `${line.slice(0, 400)}...` : line}`).join('');
  return `the store holds${short(extra)}\n  where there should be${short(missing)}`;
}
