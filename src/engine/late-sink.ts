/**
 * The sink of a log whose pipeline is made while the log is being opened: the state it works on is
 * found under the log's lock. Nothing reaches a sink before that.
 */
import { invariant } from '../base/assert.ts';
import type { Frame } from '../../wal/frame-queue.ts';
import type { LogSink } from '../../wal/ordered-log.ts';

export class LateSink<T> implements LogSink<T> {
  private target: Required<LogSink<T>> | undefined;

  connect(target: Required<LogSink<T>>): void {
    this.target = target;
  }

  private get connected(): Required<LogSink<T>> {
    invariant(this.target !== undefined, 'a log speaks to its sink only when it is open');
    return this.target;
  }

  accepted(frame: Frame<T>): void {
    this.connected.accepted(frame);
  }
  synced(offset: number): void {
    this.connected.synced(offset);
  }
  refused(waiting: Parameters<Required<LogSink<T>>['refused']>[0]): void {
    this.connected.refused(waiting);
  }
  failed(...told: Parameters<LogSink<T>['failed']>): void {
    this.connected.failed(...told);
  }
}
