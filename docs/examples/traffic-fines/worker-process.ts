/**
 * The demo's end of the worker: starts the process, counts what it acknowledges per case, waits for
 * what it says, ends it gently or with SIGKILL. Counts only what arrived here: whatever the worker
 * had acknowledged but could no longer say is not held against the store.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RecoveryReport } from 'pawl';
import type {
  AcknowledgedMessage,
  LogCounters,
  Message,
  ReplayRequest,
  Request,
} from './messages.ts';

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class WorkerProcess {
  /** Acknowledged writes by index of their case: new ones, and those that had been there before. */
  readonly applied: Uint32Array;
  readonly repeated: Uint32Array;
  appliedTotal: number = 0;
  repeatedTotal: number = 0;
  /** From the worker's first write to its last acknowledgement that arrived. */
  elapsedMs: number = 0;
  log: LogCounters = {};

  readonly #child: ChildProcess;
  readonly #onProgress: () => void;
  #waiters: Waiter[] = [];
  #recovery: RecoveryReport | undefined;
  #failure: Error | undefined;
  #hasEnded = false;

  private constructor(child: ChildProcess, cases: number, onProgress: () => void) {
    this.#child = child;
    this.#onProgress = onProgress;
    this.applied = new Uint32Array(cases);
    this.repeated = new Uint32Array(cases);
  }

  /** @param cases how many cases the log of this request has */
  static start(request: ReplayRequest, cases: number, onProgress: () => void): WorkerProcess {
    const child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)));
    const worker = new WorkerProcess(child, cases, onProgress);
    child.on('message', (message: Message) => worker.#receive(message));
    child.on('error', (error) => worker.#settle(error));
    child.on('exit', () => worker.#ended());
    child.on('disconnect', () => worker.#ended());
    worker.#send(request);
    return worker;
  }

  get acknowledgedTotal(): number {
    return this.appliedTotal + this.repeatedTotal;
  }

  /** Events alone: of what was applied, the first write of a case only opened it. */
  get eventsApplied(): number {
    return this.applied.reduce((total, count, index) => {
      const hasOpened = count > 0 && this.repeated[index] === 0;
      return total + count - (hasOpened ? 1 : 0);
    }, 0);
  }

  async opened(): Promise<RecoveryReport> {
    await this.#until(() => this.#recovery !== undefined);
    if (this.#recovery === undefined) throw new Error('the worker opened nothing');
    return this.#recovery;
  }

  /** Resolves once this many writes were acknowledged, applied and repeated ones alike. */
  async acknowledged(writes: number): Promise<void> {
    await this.#until(() => this.acknowledgedTotal >= writes);
  }

  /** SIGKILL: no handler runs, nothing is flushed, nothing is released by the process itself. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#until(() => this.#hasEnded);
  }

  async close(): Promise<void> {
    this.#send({ type: 'close' });
    await this.#until(() => this.#hasEnded);
    if (this.#child.exitCode !== 0) throw this.#failure ?? new Error('the worker did not close');
  }

  /** For an interrupted demo: leaves no process behind, waits for nothing. */
  abandon(): void {
    this.#child.kill('SIGKILL');
  }

  #send(request: Request): void {
    this.#child.send(request, (error) => {
      if (error !== null) this.#settle(error);
    });
  }

  #receive(message: Message): void {
    switch (message.type) {
      case 'opened':
        this.#recovery = message.recovery;
        break;
      case 'acknowledged':
        this.#count(message);
        this.#onProgress();
        break;
      case 'failed':
        this.#failure = new Error(`the worker failed: ${message.reason}`);
        break;
    }
    this.#settle();
  }

  #count({ applied, repeated, elapsedMs, log }: AcknowledgedMessage): void {
    for (const index of applied) increment(this.applied, index);
    for (const index of repeated) increment(this.repeated, index);
    this.appliedTotal += applied.length;
    this.repeatedTotal += repeated.length;
    this.elapsedMs = elapsedMs;
    this.log = log;
  }

  /** The process is gone and all it said has arrived: either may come first. */
  #ended(): void {
    const { exitCode, signalCode, connected } = this.#child;
    if (connected || (exitCode === null && signalCode === null)) return;
    this.#hasEnded = true;
    this.#settle(new Error(`the worker ended by itself (${signalCode ?? `code ${exitCode}`})`));
  }

  #until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ isMet, resolve, reject });
      this.#settle();
    });
  }

  /** A wait that is met ends well even if the process is gone: that may be what it waited for. */
  #settle(failure?: Error): void {
    this.#failure ??= failure;
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.isMet()) waiter.resolve();
      else if (this.#failure !== undefined) waiter.reject(this.#failure);
      else this.#waiters.push(waiter);
    }
  }
}

function increment(counts: Uint32Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}
