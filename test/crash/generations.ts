/** One store and the processes that worked on it, one after the death of the other: what each was told must be found by the next. */
import assert from 'node:assert/strict';
import { type Durability, openStore } from 'pawl';
import { Worker, type WorkerPlan } from './worker-process.ts';
import { CALLERS, findProgress, PREPARED } from './workload.ts';

const NOTHING: readonly number[] = Array.from({ length: CALLERS }, () => 0);

export class Generations {
  /** Commands of each caller that it knows to be done. */
  known: readonly number[] = NOTHING;
  /** The same as the store shows it: a caller may not know of its last one, and sends it again. */
  private found: readonly number[] = NOTHING;
  private isPrepared = false;
  private readonly program: string;
  private readonly location: string;
  private readonly durability: Durability;

  constructor(program: string, location: string, durability: Durability = 'always') {
    this.program = program;
    this.location = location;
    this.durability = durability;
  }

  start(kill: WorkerPlan['kill'], commands: number): Worker {
    return new Worker(this.program, {
      directory: this.location,
      segmentBytes: 4096,
      durability: this.durability,
      from: this.known,
      commands,
      kill,
    });
  }

  /** After the death of a process: everything it was told is there, nothing twice, nothing half. */
  async check(worker: Worker, what: string): Promise<void> {
    this.isPrepared ||= worker.isPrepared;
    const store = await openStore(this.location, { segmentBytes: 4096 });
    try {
      // A key finds the first result only where the command was there before.
      for (const [caller, serial] of worker.repeated)
        assert((this.found[caller] as number) > serial, `caller ${caller} repeated ${serial}`);
      if (!this.isPrepared) {
        assert(store.offset <= PREPARED);
        return;
      }
      // What was shown once stays, whether its caller learned of it or not.
      const larger = (counts: readonly number[]): number[] =>
        counts.map((count, caller) => Math.max(count, this.found[caller] as number));
      this.found = findProgress(store, larger(worker.acked), larger(worker.sent));
      this.known = [...worker.acked];
      assert.deepEqual((await store.verify()).problems, []);
    } catch (cause) {
      throw new Error(what, { cause });
    } finally {
      await store.close();
    }
  }
}
