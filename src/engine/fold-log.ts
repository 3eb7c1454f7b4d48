/**
 * Reads a store from end to end beside whoever writes it, without its lock, and folds what it
 * finds: the state behind verification and inspection. Damage ends nothing here; what can be
 * read is folded, and everything wrong is in the report.
 */
import { isStoreError, StoreError } from '../base/errors.ts';
import type { FileIo } from '../base/file-io.ts';
import { nodeFileIo } from '../base/node-file-io.ts';
import { systemRandom } from '../base/random.ts';
import { Fold } from '../state/fold.ts';
import { State } from '../state/state.ts';
import { locateFrame } from '../../wal/locate.ts';
import { RecordCursor } from '../../wal/payload.ts';
import { type LogReport, type VerifyLogOptions, verifyLog } from '../../wal/verify.ts';

const HASH_KEY_BYTES = 8;

export interface FoldedLog {
  readonly log: LogReport;
  /** Up to the last record that can be read and follows from those before it. */
  readonly state: State;
  /** Of the log, and of a record that passed its checksums and is impossible. */
  readonly problems: readonly StoreError[];
}

/**
 * @throws {StoreError} NOT_FOUND - there is no store; BAD_REQUEST - not a directory
 */
export async function foldLog(
  directory: string,
  options: Omit<VerifyLogOptions, 'begin'> = {},
): Promise<FoldedLog> {
  let folding = new Folding();
  const log = await verifyLog(directory, {
    ...options,
    begin: () => {
      folding = new Folding();
      return (bytes, start, end, firstOffset) => folding.frame(bytes, start, end, firstOffset);
    },
  });
  const { state, failure } = folding;
  if (failure === undefined) return { log, state, problems: log.problems };
  const fileIo = options.fileIo ?? nodeFileIo;
  const impossible = await impossibleRecord(fileIo, log, state.offset + 1, failure);
  return { log, state, problems: [...log.problems, impossible] };
}

class Folding {
  readonly state: State = new State(systemRandom.bytes(HASH_KEY_BYTES));
  /** Why the record behind `state.offset` could not be applied. */
  failure: unknown = undefined;
  private readonly fold = new Fold(this.state);
  private readonly cursor = new RecordCursor();

  frame(bytes: Uint8Array, start: number, end: number, firstOffset: number): void {
    // What follows an impossible record follows from nothing.
    if (this.failure !== undefined) return;
    const { cursor } = this;
    try {
      cursor.reset(bytes, start, end, firstOffset);
      while (cursor.advance()) this.fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
    } catch (error) {
      this.failure = error;
    }
  }
}

/** The problem of a record that passed its checksums and still cannot be. @internal */
export async function impossibleRecord(
  fileIo: FileIo,
  log: LogReport,
  offset: number,
  cause: unknown,
): Promise<StoreError> {
  if (isStoreError(cause, 'FORMAT_UNSUPPORTED')) return cause;
  const { segments, storeId } = log;
  const place =
    storeId === undefined ? undefined : await locateFrame(fileIo, segments, storeId, offset);
  const { file = 'log', byteOffset = 0 } = place ?? {};
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `${file} at byte ${byteOffset}: record ${offset} is whole and still impossible (${why})`;
  return new StoreError('CORRUPT', message, { details: { file, byteOffset, offset }, cause });
}
