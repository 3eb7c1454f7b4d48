/** `pawl stats DIR`: figures of a store as its files give them, one a line. Changes nothing. */
import { toJson } from '../../value/json.ts';
import { EXIT } from '../exit-code.ts';
import { type StoreView, viewStore } from '../inspect/model.ts';
import { type Context, printResult } from '../output.ts';
import { progressOn } from '../progress.ts';
import { count } from '../text.ts';

export async function stats(directory: string, context: Context): Promise<number> {
  const progress = progressOn(context.shell.err, 'reading');
  const view = await viewStore(directory, progress.onProgress);
  progress.end();
  const figures = figuresOf(view);
  printResult(context, figures, () => lines(figures));
  return view.ok ? EXIT.ok : EXIT.error;
}

/** Names as in `store.stats()` where they mean the same. */
function figuresOf(view: StoreView): Readonly<Record<string, unknown>> {
  const { segments, snapshots, recovery, machines } = view;
  const newest = snapshots.at(-1);
  const covered = newest?.offset ?? 0;
  const uncovered = segments.filter(({ lastOffset }) => lastOffset > covered);
  return {
    offset: view.lastOffset,
    instances: view.instances,
    machines: { definitions: machines.reduce((sum, { versions }) => sum + versions.length, 0) },
    idempotency: { keys: view.idempotencyKeys },
    log: {
      firstOffset: view.firstOffset,
      records: view.lastOffset - view.firstOffset + 1,
      segments: segments.length,
      bytesUsed: sumOf(segments, ({ bytesUsed }) => bytesUsed),
      bytesTruncated: recovery.bytesTruncated,
    },
    snapshots: {
      count: snapshots.length,
      newestOffset: covered,
      newestBytes: newest?.bytes ?? 0,
      recordsBehind: Math.max(0, view.lastOffset - covered),
      segmentsBehind: uncovered.length,
    },
    disk: view.disk,
    problems: view.problems.length,
  };
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function lines(figures: Readonly<Record<string, unknown>>, prefix: string = ''): string[] {
  const all = flat(figures, prefix);
  const width = Math.max(...all.map(([name]) => name.length));
  return all.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

function flat(figures: object, prefix: string): [string, string][] {
  return Object.entries(figures).flatMap(([name, value]: [string, unknown]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (typeof value === 'object' && value !== null) return flat(value, path);
    return [[path, typeof value === 'number' ? count(value) : toJson(value)]];
  });
}
