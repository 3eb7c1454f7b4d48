/**
 * Time of a simulation: one queue of things to happen, in virtual milliseconds, and a seed that
 * decides between those that could happen at once. Thread and Clock are views of it, and a
 * simulated disk answers its calls through it, so the same seed gives the same run.
 *
 * The next thing happens when the microtasks of the last one are through. Between them the real
 * event loop is given a turn now and then, so that a run that never ends can still be stopped.
 */
import type { Clock } from '../base/clock.ts';
import { type Random, seededRandom } from '../base/random.ts';
import { nodeThread, type Thread } from '../base/thread.ts';

interface Happening {
  readonly atMs: number;
  /** Decides between happenings at the same time. */
  readonly rank: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Happenings in a row without a turn of the real event loop. */
const MAX_ROW = 2000;
/** Virtual milliseconds a turn takes at most: as long as a call of the disk, so that either may be first. */
const TURN_MS = 0.03;

/** The time of one simulation, and everything that is to happen in it. */
export class SimScheduler {
  /** The Thread port. Turns take virtual time, so that answers of the disk may come between them. */
  readonly thread: Thread;
  /** The Clock port. */
  readonly clock: SimClock;
  /** Milliseconds since the simulation began. */
  nowMs = 0;
  /** Things that happened. */
  happened = 0;
  private readonly random: Random;
  private readonly heap: Happening[] = [];
  private soon: (() => void)[] = [];
  private isScheduled = false;
  private isStopped = false;
  private row = 0;
  private order = 0;

  constructor(seed: number, epochMs: number = 1_700_000_000_000) {
    this.random = seededRandom(seed);
    this.thread = {
      afterMicrotasks: (run) => {
        if (this.isStopped) return;
        this.soon.push(run);
        this.wake();
      },
      nextTurn: (run) => void this.after(this.chance() * TURN_MS, run),
      monotonicMs: () => this.nowMs,
      delay: (delayMs, run) => this.after(delayMs, run),
    };
    this.clock = new SimClock(this, epochMs);
  }

  /** True when nothing will happen by itself any more. */
  get isIdle(): boolean {
    return this.heap.length === 0 && this.soon.length === 0;
  }

  /** Runs something so many virtual milliseconds later; returns the way to call it off. */
  after(delayMs: number, run: () => void): () => void {
    if (this.isStopped) return () => undefined;
    const happening: Happening = {
      atMs: this.nowMs + Math.max(0, delayMs),
      rank: this.random.next(),
      order: this.order++,
      run,
    };
    push(this.heap, happening);
    this.wake();
    return () => void (happening.run = undefined);
  }

  /** Uniform in [0, 1), from the seed. @internal */
  chance(): number {
    return this.random.next();
  }

  /** Nothing happens any more. */
  stop(): void {
    this.isStopped = true;
    this.heap.length = 0;
    this.soon = [];
  }

  private wake(): void {
    if (this.isScheduled || this.isStopped) return;
    this.isScheduled = true;
    if (this.row++ < MAX_ROW) nodeThread.afterMicrotasks(this.step);
    else {
      this.row = 0;
      nodeThread.nextTurn(this.step);
    }
  }

  private readonly step = (): void => {
    this.isScheduled = false;
    try {
      const [first] = this.soon;
      if (first === undefined) return this.next();
      const { soon } = this;
      this.soon = [];
      for (const run of soon) if (!this.isStopped) run();
    } finally {
      // Also when something threw: the rest goes on, as it does on a real event loop.
      if (!this.isIdle) this.wake();
    }
  };

  private next(): void {
    let happening = pop(this.heap);
    while (happening !== undefined && happening.run === undefined) happening = pop(this.heap);
    if (happening === undefined) return;
    this.nowMs = Math.max(this.nowMs, happening.atMs);
    this.happened++;
    happening.run?.();
  }
}

/** The time of day of a simulation. It passes with the simulation, and can be set in either direction. */
export class SimClock implements Clock {
  private readonly scheduler: SimScheduler;
  private epochMs: number;

  constructor(scheduler: SimScheduler, epochMs: number) {
    this.scheduler = scheduler;
    this.epochMs = epochMs;
  }

  /** Milliseconds since the epoch, an integer. */
  now(): number {
    return this.epochMs + Math.floor(this.scheduler.nowMs);
  }

  /** Jumps so many milliseconds forward, or back; timers go by the time it shows then. */
  jump(byMs: number): void {
    this.epochMs += byMs;
  }

  /** Calls back once at or after `atMs`; set back meanwhile, it waits for that time to come again. */
  setTimer(atMs: number, run: () => void | Promise<void>): () => void {
    let disarm = (): void => undefined;
    const arm = (): void => {
      const delayMs = atMs - this.now();
      disarm = this.scheduler.after(delayMs, () => {
        if (this.now() < atMs) arm();
        else void run();
      });
    };
    arm();
    return () => disarm();
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.rank === b.rank ? a.order < b.order : a.rank < b.rank;
}

function push(heap: Happening[], item: Happening): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Happening;
    if (!isBefore(item, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Happening[]): Happening | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Happening)) child++;
    const below = heap[child] as Happening;
    if (!isBefore(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
  return top;
}
