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
import { digestOf } from '../state/digest.ts';
import type { State } from '../state/state.ts';
import { locateFrame } from '../../wal/locate.ts';
import { RecordCursor } from '../../wal/payload.ts';
import {
  checkDirectory,
  type LogReport,
  type VerifyLogOptions,
  verifyLog,
} from '../../wal/verify.ts';
import { newState } from './new-state.ts';
import { type SnapshotReport, SnapshotSurvey } from './snapshots/survey.ts';

const ATTEMPTS = 4;

export interface FoldedLog {
  readonly log: LogReport;
  /** Up to the last record that can be read and follows from those before it. */
  readonly state: State;
  /** Those that count, oldest first. */
  readonly snapshots: readonly SnapshotReport[];
  /** Of the log, of snapshots, and of a record that passed its checksums and is impossible. */
  readonly problems: readonly StoreError[];
  /** Every record the log can show is in the state. */
  readonly isFolded: boolean;
}

export interface FoldLogOptions extends Omit<VerifyLogOptions, 'begin'> {
  /** Every snapshot is read whole and compared with the fold of the log at its offset. Default false: their frames only. */
  readonly isThorough?: boolean | undefined;
}

/**
 * @throws {StoreError} NOT_FOUND - there is no store; BAD_REQUEST - not a directory
 */
export async function foldLog(
  directory: string,
  { isThorough = false, ...options }: FoldLogOptions = {},
): Promise<FoldedLog> {
  const fileIo = options.fileIo ?? nodeFileIo;
  await checkDirectory(fileIo, directory);
  const depth = isThorough ? 'states' : 'heads';
  for (let attempt = 1, from = 0; ; attempt++) {
    const survey = new SnapshotSurvey(fileIo, directory, depth, Math.max(0, from - 1));
    const folded = await foldOnce(fileIo, directory, survey, options, from);
    const isDone = folded.problems.length === 0 || attempt === ATTEMPTS;
    // A live writer may replace snapshots and drop log under a reader: then what is there now counts.
    if (isDone || !(folded.isBaseless || (await survey.isStale()))) return folded;
    from = folded.isBaseless ? folded.log.firstOffset : 0;
  }
}

async function foldOnce(
  fileIo: FileIo,
  directory: string,
  survey: SnapshotSurvey,
  options: Omit<VerifyLogOptions, 'begin'>,
  from: number = 0,
): Promise<FoldedLog & { readonly isBaseless: boolean }> {
  await survey.read();
  let folding = new Folding(survey, from);
  const log = await verifyLog(directory, {
    ...options,
    coveredThrough: survey.coveredThrough,
    begin: () => {
      folding = new Folding(survey, from);
      return (bytes, start, end, firstOffset) => folding.frame(bytes, start, end, firstOffset);
    },
  });
  folding.finish(log);
  const { state, failure, isBaseless } = folding;
  const snapshots = survey.finished();
  const ofSnapshots = snapshots.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const problems = [...log.problems, ...survey.problems, ...ofSnapshots];
  if (failure !== undefined && !problems.some((one) => one === failure))
    problems.push(
      isBaseless && isStoreError(failure)
        ? failure
        : await impossibleRecord(fileIo, log, state.offset + 1, failure),
    );
  return { log, state, snapshots, problems, isFolded: failure === undefined, isBaseless };
}

class Folding {
  /** Why the record behind `state.offset` could not be applied. */
  failure: unknown = undefined;
  state: State;
  private fold: Fold;
  /** The log begins where no snapshot reaches. */
  isBaseless = false;
  private readonly survey: SnapshotSurvey;
  /** Where the log is known to begin: what is delivered before is not kept. */
  private readonly from: number;
  private readonly cursor = new RecordCursor();
  private hasBegun = false;

  constructor(survey: SnapshotSurvey, from: number) {
    this.survey = survey;
    this.from = from;
    this.state = newState(systemRandom);
    this.fold = new Fold(this.state);
  }

  frame(bytes: Uint8Array, start: number, end: number, firstOffset: number): void {
    // What follows an impossible record follows from nothing.
    if (this.failure !== undefined || firstOffset < this.from) return;
    this.begin(firstOffset);
    if (this.failure !== undefined) return;
    const { cursor, state, fold } = this;
    try {
      cursor.reset(bytes, start, end, firstOffset);
      while (cursor.advance()) {
        if (cursor.offset <= state.offset) continue;
        fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
        if (this.survey.wants(cursor.offset)) this.survey.compare(cursor.offset, digestOf(state));
      }
    } catch (error) {
      this.failure = error;
    }
  }

  /** A log whose beginning was dropped goes on from a snapshot. */
  private begin(firstOffset: number): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    if (firstOffset <= 1) return;
    try {
      this.state = this.survey.takeBase(firstOffset - 1);
      this.fold = new Fold(this.state);
    } catch (error) {
      this.failure = error;
      this.isBaseless = true;
    }
  }

  /** Without any record behind it, a snapshot alone is the state. */
  finish({ firstOffset, lastOffset }: LogReport): void {
    if (lastOffset > 0) this.begin(firstOffset);
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
