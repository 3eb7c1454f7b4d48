/**
 * How long the event loop was kept busy at a time: a timer of 1 ms looks how late it is, and takes off
 * what the thread spent ready but without a CPU, so that a crowded machine is not held against anyone.
 */
import fs from 'node:fs';

const INTERVAL_MS = 1;

export class LoopProbe {
  constructor() {
    this.longestMs = 0;
    this.ticks = 0;
    this.text = Buffer.alloc(128);
    this.descriptor = openSchedule();
    this.last = performance.now();
    this.lastWaitMs = this.waitedMs();
    this.timer = setInterval(() => this.tick(), INTERVAL_MS);
  }

  tick() {
    const now = performance.now();
    const waitMs = this.waitedMs();
    const busyMs = now - this.last - INTERVAL_MS - (waitMs - this.lastWaitMs);
    // Timers bunch up after a long turn; only the first of them tells.
    if (busyMs > this.longestMs) this.longestMs = busyMs;
    this.ticks++;
    this.last = now;
    this.lastWaitMs = waitMs;
  }

  /** Milliseconds this thread was ready but not running since it started; 0 where nobody tells. */
  waitedMs() {
    if (this.descriptor === undefined) return 0;
    const length = fs.readSync(this.descriptor, this.text, 0, this.text.length, 0);
    return Number(this.text.toString('latin1', 0, length).split(' ')[1]) / 1e6;
  }

  /** @returns {number} the longest time the loop was kept busy, in ms */
  stop() {
    this.tick();
    clearInterval(this.timer);
    if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
    return this.longestMs;
  }
}

function openSchedule() {
  try {
    return fs.openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return undefined; // Not Linux: waiting counts as busy.
  }
}
