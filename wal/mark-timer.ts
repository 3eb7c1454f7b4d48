/**
 * Keeps the window short in which damage to the last frame looks like a torn write: a frame that
 * was synced and that nothing attests for a while gets a mark behind it. At most one timer is
 * armed, however many frames pass.
 */
import type { Thread } from '../src/base/thread.ts';
import { Delayed } from './delayed.ts';
import type { DiskWriter } from './disk-writer.ts';

const MARK_AFTER_MS = 20;

export class MarkTimer {
  private readonly timer: Delayed;
  private readonly thread: Thread;
  private readonly disk: DiskWriter;

  constructor(thread: Thread, disk: DiskWriter) {
    this.thread = thread;
    this.disk = disk;
    this.timer = new Delayed(thread, MARK_AFTER_MS, () => this.check());
  }

  /** A frame was synced. */
  arm(): void {
    this.timer.arm();
  }

  stop(): void {
    this.timer.stop();
  }

  private check(): void {
    const { appender, isWriting, lastSyncAt } = this.disk;
    if (!appender.hasUnattested || !appender.hasRoomForMark) return;
    const waitMs = lastSyncAt + MARK_AFTER_MS - this.thread.monotonicMs();
    if (waitMs > 0 || isWriting) this.timer.arm(Math.max(1, waitMs));
    else this.disk.mark();
  }
}
