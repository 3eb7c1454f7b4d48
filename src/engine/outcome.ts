/** The last record of a transaction or batch that has an idempotency key: its first value, filed under the key. */
import { ByteWriter } from '../base/bytes.ts';
import { type KeyScope, scopedKey } from '../instance/scoped-key.ts';
import { encodeOutcome } from '../record/encode.ts';
import { writeEnveloped } from '../value/write-value.ts';
import type { Pipeline } from './pipeline.ts';

export class Outcome {
  private readonly pipeline: Pipeline;
  private readonly buffer = new ByteWriter(1024);

  constructor(pipeline: Pipeline) {
    this.pipeline = pipeline;
  }

  /** In the record the scope's letter stands before the key. @throws {StoreError} BAD_REQUEST - the value is no data that can be stored. */
  log(scope: KeyScope, key: string, value: unknown, fingerprint: ArrayLike<number>): void {
    const { pipeline, buffer } = this;
    const { notes } = pipeline;
    buffer.position = 0;
    if (value !== undefined) writeEnveloped(buffer, value, 'value');
    notes.clear();
    notes.key = scope + key;
    notes.fingerprint.set(fingerprint);
    encodeOutcome(pipeline.records.open(), pipeline.records.time, notes, buffer);
    const offset = pipeline.records.close(undefined, false);
    pipeline.overlay.addKey(
      scopedKey(scope, '', key),
      fingerprint[0] as number,
      fingerprint[1] as number,
      offset,
    );
  }
}
