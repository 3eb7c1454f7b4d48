/**
 * The optional fields of a record while it is being written. One object per engine, reused for
 * every command: it is filled, encoded, and cleared.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { FIELD } from './kind.ts';

export class Annotations {
  /** Time of the fact; undefined = that of the commit. */
  at: number | undefined = undefined;
  eventId: string | undefined = undefined;
  key: string | undefined = undefined;
  /** Two 32-bit lanes; meaningful with `key`. */
  readonly fingerprint: Uint32Array = new Uint32Array(2);
  actor: string | undefined = undefined;
  reason: string | undefined = undefined;
  correlationId: string | undefined = undefined;

  clear(): void {
    this.at = undefined;
    this.eventId = undefined;
    this.key = undefined;
    this.actor = undefined;
    this.reason = undefined;
    this.correlationId = undefined;
  }

  get fields(): number {
    return (
      (this.at === undefined ? 0 : FIELD.at) |
      (this.eventId === undefined ? 0 : FIELD.eventId) |
      (this.key === undefined ? 0 : FIELD.key) |
      (this.actor === undefined ? 0 : FIELD.actor) |
      (this.reason === undefined ? 0 : FIELD.reason) |
      (this.correlationId === undefined ? 0 : FIELD.correlationId)
    );
  }

  /** In the order of the bits; record-reader.ts reads them back in the same order. */
  write(writer: ByteWriter): void {
    if (this.at !== undefined) writer.f64(this.at);
    if (this.eventId !== undefined) writer.text(this.eventId);
    if (this.key !== undefined) {
      writer.text(this.key);
      writer.u32(this.fingerprint[0] as number);
      writer.u32(this.fingerprint[1] as number);
    }
    if (this.actor !== undefined) writer.text(this.actor);
    if (this.reason !== undefined) writer.text(this.reason);
    if (this.correlationId !== undefined) writer.text(this.correlationId);
  }
}
