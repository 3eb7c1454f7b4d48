/**
 * Refusals of posts that came too late to be thrown. Each belongs to the flush that covers its
 * post: the next one asked for after it.
 */
import { isStoreError, type StoreError } from '../base/errors.ts';

/** The posts between one flush and the next. */
interface Epoch {
  first: StoreError | undefined;
}

export class PostRefusals {
  private epoch: Epoch = { first: undefined };

  /** The epoch a post made now belongs to, for a refusal that comes later still. */
  get current(): Epoch {
    return this.epoch;
  }

  /** Keeps the first refusal of an epoch. @throws what is no refusal: a bug of ours */
  note(error: unknown, epoch: Epoch = this.epoch): void {
    if (!isStoreError(error)) throw error;
    epoch.first ??= error;
  }

  /** Ends the epoch; its refusal is asked for when everything in it is settled. */
  close(): Epoch {
    const closed = this.epoch;
    this.epoch = { first: undefined };
    return closed;
  }
}
