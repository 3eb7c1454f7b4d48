/**
 * What the demo and its worker process say to each other. Plain data, so that it survives the trip
 * between processes; the machine definition travels along, as it could from any configuration.
 */
import type { MachineDefinition, RecoveryReport } from 'pawl';

/** To the worker: open the store, replay all of the log, keep the store open. */
export interface ReplayRequest {
  readonly type: 'replay';
  readonly directory: string;
  readonly definition: MachineDefinition;
  readonly logFile: string;
  /** Only the first so many cases; absent for all (JSON has no Infinity). */
  readonly caseLimit?: number;
  readonly concurrency: number;
}

/** To the worker: close the store and end. */
export interface CloseRequest {
  readonly type: 'close';
}

export type Request = ReplayRequest | CloseRequest;

/** The part of `store.stats().log` the demo shows; absent where the store does not say. */
export interface LogCounters {
  readonly syncs?: number;
  readonly bytesWritten?: number;
}

export interface OpenedMessage {
  readonly type: 'opened';
  readonly recovery: RecoveryReport;
}

/** Writes acknowledged since the last such message, each as the index of its case. */
export interface AcknowledgedMessage {
  readonly type: 'acknowledged';
  readonly applied: readonly number[];
  /** Acknowledged as done before: nothing was written. */
  readonly repeated: readonly number[];
  /** Since the first write was sent. */
  readonly elapsedMs: number;
  readonly log: LogCounters;
}

export interface FailedMessage {
  readonly type: 'failed';
  readonly reason: string;
}

export type Message = OpenedMessage | AcknowledgedMessage | FailedMessage;
