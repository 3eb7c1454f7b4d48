/** A store as it was, for callers: reads over a state of its own, as long as it is open. */
import type { Offset } from '../api/instance.ts';
import type { View } from '../api/time-travel.ts';
import { instanceReads } from '../handles.ts';
import { Reads } from '../reads.ts';
import type { PastState } from './state-at.ts';

export class PastView implements View {
  readonly offset: Offset;
  readonly instances: View['instances'];
  private readonly past: PastState;
  private readonly reads: Reads;
  private readonly onClose: (view: PastView) => void;
  private closing: Promise<void> | undefined;

  constructor(past: PastState, storeId: string, onClose: (view: PastView) => void) {
    this.past = past;
    this.onClose = onClose;
    this.offset = past.state.offset;
    this.reads = new Reads(past.state, () => false, 'the view');
    // A cursor of a view belongs to the moment too.
    const source = { reads: this.reads, storeId: `${storeId}@${this.offset}` };
    this.instances = instanceReads(source, undefined);
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    this.reads.close();
    this.onClose(this);
    await this.past.snapshot?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
