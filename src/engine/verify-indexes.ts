/** The part of store.verify() that looks at memory: indexes against rows, in slices of 2 ms. */
import { StoreError } from '../base/errors.ts';
import type { Thread } from '../base/thread.ts';
import { checkIndexes } from '../indexes/check-indexes.ts';
import type { State } from '../state/state.ts';
import type { VerifyReport } from './api/store.ts';
import { LIMITS } from './limits.ts';

/** The report of the files, and what is wrong with the indexes that are open beside them. */
export async function withIndexes(
  files: Promise<VerifyReport>,
  state: State,
  thread: Thread,
): Promise<VerifyReport> {
  const report = await files;
  const steps = checkIndexes(state);
  let sliceEnd = thread.monotonicMs() + LIMITS.sliceMs;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    if (thread.monotonicMs() < sliceEnd) continue;
    await new Promise<void>((resolve) => thread.nextTurn(resolve));
    sliceEnd = thread.monotonicMs() + LIMITS.sliceMs;
  }
  if (step.value.length === 0) return report;
  const faults = step.value.map(
    ({ reason, handle }) =>
      new StoreError(
        'INTERNAL_ERROR',
        `the indexes in memory do not agree with instance ${JSON.stringify(state.instances.isLive(handle) ? state.instances.idText(handle) : handle)}: ${reason}; open the store again`,
        { details: { outcome: 'not-done', reason } },
      ),
  );
  const { digest: _, ...rest } = report;
  return { ...rest, ok: false, problems: [...report.problems, ...faults] };
}
