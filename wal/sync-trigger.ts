/**
 * When the log syncs below 'always': by timer, by number of records, or because somebody waits.
 * One sync at a time; one asked for meanwhile follows it if anything was written since.
 */
import type { Thread } from '../src/base/thread.ts';
import { Delayed } from './delayed.ts';
import type { DiskWriter } from './disk-writer.ts';
import type { SyncPolicy } from './durability.ts';

/** What timers can wait; a longer interval is as good as none. */
const LONGEST_MS: number = 2 ** 31 - 1;

export class SyncTrigger {
  private isWanted = false;
  private isStopped = false;
  private readonly timer: Delayed;
  private readonly policy: SyncPolicy;
  private readonly disk: DiskWriter;

  constructor(thread: Thread, policy: SyncPolicy, disk: DiskWriter) {
    this.policy = policy;
    this.disk = disk;
    this.timer = new Delayed(thread, Math.min(policy.everyMs, LONGEST_MS), () => this.now());
  }

  /** A frame was written; `isAwaited`: somebody waits for the sync. */
  afterWrite(isAwaited: boolean): void {
    const { end, synced } = this.disk.appender;
    if (isAwaited || end.offset - synced.offset >= this.policy.everyRecords) this.now();
    else if (this.policy.everyMs <= LONGEST_MS) this.timer.arm();
  }

  now(): void {
    if (this.isStopped || this.disk.appender.isSynced) return;
    if (this.disk.isSyncing) this.isWanted = true;
    else this.disk.sync();
  }

  afterSync(): void {
    if (this.isWanted) {
      this.isWanted = false;
      this.now();
    } else if (!this.disk.appender.isSynced) this.afterWrite(false);
  }

  stop(): void {
    this.isStopped = true;
    this.timer.stop();
  }
}
