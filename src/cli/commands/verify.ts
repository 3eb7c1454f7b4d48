/** `pawl verify DIR`: reads every byte and every record, changes nothing, names each damaged place. */
import { foldLog } from '../../engine/fold-log.ts';
import { digestOf } from '../../state/digest.ts';
import { EXIT } from '../exit-code.ts';
import { type Context, type Problem, errorData, printResult, say } from '../output.ts';
import { progressOn } from '../progress.ts';
import { type Row, tableLines } from '../table.ts';
import { isForeign, verdictOf } from '../verdict.ts';
import { type Paint, count, counted, painter, printable, size } from '../text.ts';

const COLUMNS = [
  { title: 'FILE' },
  { title: 'BYTE', align: 'right' },
  { title: 'RECORD', align: 'right' },
  { title: 'PROBLEM' },
] as const;

export async function verify(directory: string, context: Context): Promise<number> {
  const { shell } = context;
  const progress = progressOn(shell.err, 'verifying');
  const { log, state, snapshots, problems, isFolded } = await foldLog(directory, {
    onProgress: progress.onProgress,
    isThorough: true,
  });
  progress.end();
  const ok = problems.length === 0;
  const lastOffset = isFolded ? log.lastOffset : state.offset;
  const result = {
    ok,
    location: directory,
    firstOffset: log.firstOffset,
    lastOffset,
    records: lastOffset - log.firstOffset + 1,
    segments: log.segments.length,
    bytes: usedBytes(log.segments),
    bytesTruncated: log.bytesTruncated,
    snapshots: snapshots.map(({ offset }) => offset),
    ...(ok ? { digest: digestOf(state) } : {}),
    ...(log.knownOffset > lastOffset
      ? { lost: { first: lastOffset + 1, last: log.knownOffset } }
      : {}),
    problems: problems.map(errorData),
  };
  printResult(context, result, () => [
    ...summary(result, painter(shell.out)),
    ...problemLines(problems),
  ]);
  if (!ok && context.format === 'table') {
    const hint = isForeign(problems)
      ? 'Written by a newer version of pawl, or a log of pawl/wal alone: nothing here is damaged.'
      : `'pawl repair ${directory} --dry-run' says what a repair would keep.`;
    say(context, painter(shell.err)('dim', hint));
  }
  return ok ? EXIT.ok : EXIT.error;
}

interface Verified {
  readonly problems: readonly Problem[];
  readonly location: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly records: number;
  readonly segments: number;
  readonly bytes: number;
  readonly bytesTruncated: number;
  /** Offsets of the snapshots, oldest first. */
  readonly snapshots: readonly number[];
  readonly digest?: string;
  readonly lost?: { readonly first: number; readonly last: number };
}

function summary(result: Verified, paint: Paint): string[] {
  const { records, firstOffset, lastOffset, segments, bytes, bytesTruncated, lost } = result;
  const verdict = verdictOf(result.problems, paint);
  const span =
    records === 0 ? 'no records' : `records ${count(firstOffset)} to ${count(lastOffset)}`;
  const lines = [
    `${verdict}  ${printable(result.location)}: ${span} in ${counted(segments, 'segment')}, ${size(bytes)}`,
  ];
  if (result.snapshots.length > 0) {
    const offsets = result.snapshots.map(count).join(', ');
    lines.push(`    ${counted(result.snapshots.length, 'snapshot')}, at ${offsets}`);
  }
  if (bytesTruncated > 0) {
    lines.push(
      `    ${counted(bytesTruncated, 'byte')} of an interrupted last write; opening drops them`,
    );
  }
  if (lost !== undefined) {
    const foreign = `from record ${count(lost.first)} on, what is in it is not known here`;
    lines.push(`    ${isForeign(result.problems) ? foreign : lostText(lost)}`);
  }
  if (result.digest !== undefined) lines.push(`    state ${paint('dim', result.digest)}`);
  return lines;
}

/** 'records 8 to 15 cannot be read, or follow one that cannot' */
export function lostText(lost: { readonly first: number; readonly last: number }): string {
  return lost.first === lost.last
    ? `record ${count(lost.first)} cannot be read`
    : `records ${count(lost.first)} to ${count(lost.last)} cannot be read, or follow one that cannot`;
}

export function problemLines(problems: readonly Problem[]): string[] {
  if (problems.length === 0) return [];
  return ['', ...tableLines(COLUMNS, problems.map(problemRow))];
}

function problemRow(problem: Problem): Row {
  const { file, byteOffset, offset, path } = problem.details as {
    readonly file?: string;
    readonly byteOffset?: number;
    readonly offset?: number;
    readonly path?: string;
  };
  const place = byteOffset === undefined ? '' : count(byteOffset);
  const record = offset === undefined ? '' : count(offset);
  return [printable(file ?? path ?? ''), place, record, reasonOf(problem)];
}

/** The message repeats the place and that nothing was changed; the table has said so. */
function reasonOf(problem: Problem): string {
  const text = printable(problem.message).replace(/; nothing was changed$/, '');
  const reason = /^\S+ at byte \d+: (.*)$/s.exec(text)?.[1];
  return reason ?? `${problem.code}: ${text}`;
}

function usedBytes(segments: readonly { readonly usedBytes: number }[]): number {
  return segments.reduce((sum, segment) => sum + segment.usedBytes, 0);
}
