/**
 * One store and the processes that work on it, one after the death of the other: what each was
 * told must be found by the next, and nothing of what is only in the way piles up.
 */
import assert from 'node:assert/strict';
import { cp, readdir } from 'node:fs/promises';
import { type Durability, openStore } from 'pawl';
import { nodeFileIo } from '../../src/base/node-file-io.ts';
import { scanLog } from '../../wal/scan.ts';
import { Worker, type WorkerPlan } from './worker-process.ts';
import { checkStore, type Expected, NOTHING, PREPARED } from './workload.ts';

/** Files that may be there besides the log: an unfinished segment, an unfinished manifest or reserve, one void segment. */
const MOST_LEFTOVERS = 3;
const KEPT_SNAPSHOTS = 2;

export interface GenerationOptions {
  readonly program: string;
  readonly location: string;
  readonly durability?: Durability;
  readonly segmentBytes?: number;
  /** Records between two snapshots; 0: none is taken. */
  readonly snapshotInterval?: number;
}

/** Takes the larger of each pair. */
function larger(a: readonly number[], b: readonly number[]): number[] {
  return a.map((count, caller) => Math.max(count, b[caller] as number));
}

export class Generations {
  /** Commands of each caller that it knows to be done. */
  known: readonly number[] = NOTHING;
  readonly location: string;
  /** The same as a process found it: a caller may not know of its last one, and sends it again. */
  private found: readonly number[] = NOTHING;
  private sent: readonly number[] = NOTHING;
  private made = 0;
  private isPrepared = false;
  private readonly options: Required<Omit<GenerationOptions, 'location'>>;

  constructor({ location, ...options }: GenerationOptions) {
    const { program, durability = 'always', segmentBytes = 4096, snapshotInterval = 0 } = options;
    this.location = location;
    this.options = { program, durability, segmentBytes, snapshotInterval };
  }

  /** The same store as it is now, in another place, to go on from there. */
  async copyTo(location: string): Promise<Generations> {
    await cp(this.location, location, { recursive: true });
    const copy = new Generations({ ...this.options, location });
    const { known, found, sent, made, isPrepared } = this;
    return Object.assign(copy, { known, found, sent, made, isPrepared });
  }

  get expected(): Expected {
    const { isPrepared, made, found, known, sent } = this;
    return { isPrepared, made: [made, PREPARED], atLeast: larger(known, found), atMost: sent };
  }

  start(
    commands: number,
    more: Pick<WorkerPlan, 'killAt' | 'killOn' | 'waitsForReserve'> = {},
    environment: Readonly<Record<string, string>> = {},
  ): Worker {
    const { program, durability, segmentBytes, snapshotInterval } = this.options;
    const { location: directory, known: from, expected } = this;
    const options = { segmentBytes, durability, snapshotInterval };
    const plan = { directory, ...options, from, commands, expected, ...more };
    return new Worker(program, plan, environment);
  }

  /** Takes over what a process learned that is gone. */
  learn(worker: Worker, what: string): void {
    assert.deepEqual([what, worker.wrong, worker.failure], [what, undefined, undefined]);
    this.isPrepared ||= worker.isPrepared;
    this.made = Math.max(this.made, worker.made);
    this.found = larger(this.found, worker.found ?? NOTHING);
    // A key finds the first result only where the command was there before.
    for (const [caller, serial] of worker.repeated)
      assert((this.found[caller] as number) > serial, `${what}: ${caller} repeated ${serial}`);
    this.known = larger(this.known, worker.acked);
    this.sent = larger(this.sent, worker.sent);
  }

  /** Opens it here, as the next process would, and closes it: everything is there, nothing twice, nothing half. */
  async check(what: string): Promise<void> {
    try {
      const store = await openStore(this.location, { segmentBytes: this.options.segmentBytes });
      try {
        this.found = await checkStore(store, this.expected);
        // What was shown once stays, whether its caller learned of it or not.
        this.sent = larger(this.sent, this.found);
        // Log that somebody died over dropping goes with the next compaction.
        if (this.options.snapshotInterval > 0) await store.compact();
      } finally {
        await store.close();
      }
      await this.checkFiles();
    } catch (cause) {
      throw new Error(what, { cause });
    }
  }

  /** Nobody has it open: there is the log, and little else. */
  private async checkFiles(): Promise<void> {
    const names = await readdir(this.location);
    assert.deepEqual(
      names.filter((name) => name.startsWith('lock')),
      [],
    );
    const report = await scanLog(nodeFileIo, this.location);
    const besides = names.length - (report?.segments.length ?? 0);
    // The manifest and the reserve.
    const snapshots = names.filter((name) => name.startsWith('snapshot-'));
    assert(snapshots.length <= KEPT_SNAPSHOTS, `snapshots pile up: ${names.join(' ')}`);
    assert(besides - snapshots.length <= 2 + MOST_LEFTOVERS, `files pile up: ${names.join(' ')}`);
  }

  /** Goes on in a process that nobody kills; after that everything is vouched for. */
  async finish(commands: number, what: string): Promise<void> {
    const worker = this.start(commands);
    const signal = await worker.gone;
    this.learn(worker, what);
    assert.deepEqual([what, signal, worker.isClosed], [what, null, true]);
    const store = await openStore(this.location, { strict: true });
    assert.deepEqual([what, store.recovery.bytesTruncated], [what, 0]);
    await checkStore(store, this.expected);
    await store.close();
    await this.checkFiles();
  }
}
