/** The ticket of a transaction: answers its value once the commit may be acknowledged. */
import type { StoreError } from '../base/errors.ts';
import type { Committed } from './api/transaction.ts';
import { type Deferred, deferred, type Ticket } from './ticket.ts';

export class ValueTicket<T> implements Ticket {
  readonly mustSync: boolean;
  private readonly value: T;
  private readonly deferred: Deferred<Committed<T>> = deferred();
  private offset = 0;

  constructor(value: T, mustSync: boolean) {
    this.value = value;
    this.mustSync = mustSync;
  }
  get promise(): Promise<Committed<T>> {
    return this.deferred.promise;
  }
  applied(offset: number): void {
    this.offset = offset;
  }
  settle(): void {
    this.deferred.resolve({ value: this.value, offset: this.offset, applied: true });
  }
  fail(error: StoreError): void {
    this.deferred.reject(error);
  }
}
