/**
 * Who waits for a commit. A ticket travels with its commit through the log and is told, in log
 * order: of every record when it has been applied (state is then exactly as that record left it),
 * and finally to answer, or that the log failed.
 */
import type { StoreError } from '../base/errors.ts';

export interface Ticket {
  /** Answer only once synced, whatever the durability of the store. */
  readonly mustSync: boolean;
  /** A record of the commit was applied, as number `offset`. */
  applied(offset: number): void;
  /** The commit may be acknowledged. */
  settle(): void;
  fail(error: StoreError): void;
}

/** A promise with its ends outside, made without a closure of its own per call. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
