/**
 * When the next frame leaves, and how. A lone caller should not wait for a turn of the event loop;
 * many should be given the turn, so that all those the last frame woke join the next one. On a
 * fast disk a lone caller may even be served without leaving the thread (measured: 1.02 of a raw
 * synced write, against 1.1 with one hop), never more than MAX_ROW times, nor longer than
 * MAX_ROW_MS, without a turn between: callers that go on from each answer never end the turn themselves.
 */
import type { Thread } from '../src/base/thread.ts';

const FAST_SYNC_MS = 1;
/** Syncs in a row that must have been fast. */
const FAST_SYNCS = 64;
const LONE_FRAMES = 4;
const MAX_ROW = 16;
const MAX_ROW_MS = 1;

export class FlushPace {
  /** The next frame has its time already. */
  isScheduled = false;
  private readonly thread: Thread;
  private readonly run: () => void;
  private lastCommits = 1;
  private loneFrames = 0;
  private fastSyncs = 0;
  /** Frames that left without a turn of the event loop between them. */
  private row = 0;
  private rowStart = 0;

  /** `run` sends the next frame. */
  constructor(thread: Thread, run: () => void) {
    this.thread = thread;
    this.run = run;
  }

  noteFrame(commits: number): void {
    this.lastCommits = commits;
    this.loneFrames = commits === 1 ? this.loneFrames + 1 : 0;
  }

  noteSync(tookMs: number): void {
    this.fastSyncs = tookMs < FAST_SYNC_MS ? this.fastSyncs + 1 : 0;
  }

  /** May a frame with one commit block the thread? */
  get mayBlock(): boolean {
    return this.fastSyncs >= FAST_SYNCS && this.loneFrames >= LONE_FRAMES;
  }

  /** A frame left without leaving the thread. */
  noteBlocking(): void {
    if (this.row === 0) this.rowStart = this.thread.monotonicMs();
    this.row++;
  }

  /** Sees to the next frame: for those the last one woke, if they were many, it waits a turn. */
  schedule(): void {
    if (this.isScheduled) return;
    if (this.isLongRow || this.lastCommits > 1) return this.nextTurn();
    this.isScheduled = true;
    this.thread.afterMicrotasks(this.onTime);
  }

  nextTurn(): void {
    this.row = 0;
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.thread.nextTurn(this.onTime);
  }

  private get isLongRow(): boolean {
    if (this.row === 0) return false;
    return this.row >= MAX_ROW || this.thread.monotonicMs() - this.rowStart > MAX_ROW_MS;
  }

  private readonly onTime = (): void => {
    this.isScheduled = false;
    this.run();
  };
}
