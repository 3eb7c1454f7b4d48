/** The face of a StoreView on a terminal: lines of text. Pure. */
import { tableLines } from '../table.ts';
import { type Paint, bar, count, counted, cut, printable, size, time } from '../text.ts';
import { verdictOf } from '../verdict.ts';
import type { MachineView, SegmentView, SnapshotView, StoreView, VersionView } from './model.ts';

const BAR_COLUMNS = 30;
const USE_COLUMNS = 10;
/** States without instances are left out of larger machines, and all above so many. */
const SMALL_MACHINE = 12;
const MAX_STATES = 40;
const MAX_NAME = 40;

/** Problems are given apart: they are errors, not data. */
export function viewLines(view: StoreView, paint: Paint): string[] {
  return [
    ...headLines(view, paint),
    ...view.machines.flatMap((machine) => machineLines(machine, paint)),
    ...segmentLines(view, paint),
    ...snapshotLines(view.snapshots, paint),
    ...noteLines(view, paint),
  ];
}

function headLines(view: StoreView, paint: Paint): string[] {
  const { writer, firstOffset, lastOffset, lastCommitAt, instances, idempotencyKeys, disk } = view;
  const { living, deleted } = instances;
  const verdict = view.ok ? '' : `  ${verdictOf(view.problems, paint)}`;
  const span = lastOffset < firstOffset ? 'none' : `${count(firstOffset)} to ${count(lastOffset)}`;
  const last = lastCommitAt === null ? '' : `, the last one written ${time(lastCommitAt)}`;
  const facts: [string, string][] = [
    ['store', `${view.storeId ?? 'unknown'}, format ${view.formatVersion}`],
    ['writer', writer === null ? 'none' : `process ${writer.pid} has it open`],
    ['records', span + last],
    ['instances', `${count(living)} living, ${count(deleted)} deleted`],
    ['keys', counted(idempotencyKeys, 'idempotency key')],
    ['on disk', `${size(disk.bytes)} in ${counted(disk.files, 'file')}`],
  ];
  return [
    paint('bold', printable(view.location)) + verdict,
    ...facts.map(([name, text]) => `  ${paint('dim', name.padEnd(9))}  ${text}`),
  ];
}

function machineLines(machine: MachineView, paint: Paint): string[] {
  return machine.versions.flatMap((version) => versionLines(machine, version, paint));
}

function versionLines(machine: MachineView, version: VersionView, paint: Paint): string[] {
  const { living, deleted, hidden } = version;
  const parts = [`${count(living)} living`];
  if (deleted > 0) parts.push(`${count(deleted)} deleted`);
  if (hidden) parts.push('not offered');
  if (machine.indexes.length > 0) parts.push(`indexed by ${listed(machine.indexes)}`);
  const name = `${cut(printable(machine.name), MAX_NAME)} v${version.version}`;
  return ['', `${paint('bold', name)}  ${parts.join(', ')}`, ...stateLines(version, paint)];
}

function stateLines(version: VersionView, paint: Paint): string[] {
  const { states, living } = version;
  const isSmall = states.length <= SMALL_MACHINE;
  const peopled = isSmall ? states : states.filter((one) => one.count > 0);
  const shown = peopled.slice(0, MAX_STATES);
  const most = Math.max(1, ...shown.map((one) => one.count));
  const names = shown.map((one) => cut(printable(one.state), MAX_NAME));
  const width = Math.max(0, ...names.map((name) => name.length));
  const figures = Math.max(0, ...shown.map((one) => count(one.count).length));
  const lines = shown.map((one, i) => {
    const share = living === 0 ? 0 : (one.count / living) * 100;
    const drawn = bar(one.count / most, BAR_COLUMNS);
    const line = `  ${(names[i] ?? '').padEnd(width)}  ${count(one.count).padStart(figures)}`;
    if (one.count === 0) return paint('dim', line);
    return `${line}  ${share.toFixed(1).padStart(5)} %  ${paint('good', drawn)}`;
  });
  const hidden = states.length - shown.length;
  if (hidden === 0) return lines;
  const left = peopled.length > shown.length ? 'more states' : 'states without instances';
  return [...lines, paint('dim', `  and ${count(hidden)} ${left}`)];
}

function segmentLines(view: StoreView, paint: Paint): string[] {
  if (view.segments.length === 0) return [];
  const columns = [
    { title: 'SEGMENT' },
    { title: 'FIRST', align: 'right' },
    { title: 'LAST', align: 'right' },
    { title: 'USED', align: 'right' },
    { title: 'SIZE', align: 'right' },
    { title: '' },
  ] as const;
  const rows = view.segments.map((segment) => {
    const isEmpty = segment.lastOffset < segment.firstOffset;
    const use = bar(segment.bytes === 0 ? 0 : segment.bytesUsed / segment.bytes, USE_COLUMNS);
    return [
      segment.file,
      isEmpty ? '-' : count(segment.firstOffset),
      isEmpty ? '-' : count(segment.lastOffset),
      size(segment.bytesUsed),
      size(segment.bytes),
      { text: use, painted: paint('dim', use) },
    ];
  });
  const [head = '', ...lines] = tableLines(columns, rows);
  return ['', paint('dim', head), ...shortened(lines, view.segments, paint)];
}

export function snapshotLines(snapshots: readonly SnapshotView[], paint: Paint): string[] {
  if (snapshots.length === 0) return [];
  const columns = [
    { title: 'SNAPSHOT' },
    { title: 'RECORD', align: 'right' },
    { title: 'INSTANCES', align: 'right' },
    { title: 'SIZE', align: 'right' },
    { title: 'LAST COMMIT' },
    { title: '' },
  ] as const;
  const rows = snapshots.map(({ file, offset, instances, bytes, at, problem }) => {
    const problems = problem === null ? [] : [problem];
    const plain: Paint = (_, text) => text;
    return [
      file,
      count(offset),
      instances === null ? '' : count(instances),
      size(bytes),
      at === null ? '' : time(at),
      problem === null
        ? ''
        : { text: verdictOf(problems, plain), painted: verdictOf(problems, paint) },
    ];
  });
  const [head = '', ...lines] = tableLines(columns, rows);
  return ['', paint('dim', head), ...lines];
}

const MAX_SEGMENTS = 12;

/** The first and the last ones; the middle of a long log looks like its neighbours. */
function shortened(
  lines: readonly string[],
  segments: readonly SegmentView[],
  paint: Paint,
): string[] {
  if (lines.length <= MAX_SEGMENTS) return [...lines];
  const half = MAX_SEGMENTS / 2;
  const left = segments.slice(half, -half);
  const bytes = left.reduce((sum, segment) => sum + segment.bytes, 0);
  const middle = paint('dim', `… ${counted(left.length, 'segment')} more, ${size(bytes)}`);
  return [...lines.slice(0, half), middle, ...lines.slice(-half)];
}

function noteLines(view: StoreView, paint: Paint): string[] {
  const { recovery: found } = view;
  const notes: string[] = [];
  const note = (when: boolean, text: string): void => {
    if (when) notes.push(text);
  };
  const { bytesTruncated, recordsInDoubt, recordsNotShown, voidSegments } = found;
  const { unfinishedFiles, strayFiles, savedAside } = found;
  note(
    bytesTruncated > 0,
    `${counted(bytesTruncated, 'byte')} of an interrupted last write behind record ${count(view.lastOffset)}; the next opening for writing drops them`,
  );
  note(
    recordsInDoubt > 0,
    `the last ${recordsInDoubt === 1 ? 'record' : counted(recordsInDoubt, 'record')} may not be synced; the next opening for writing makes sure of them`,
  );
  note(
    recordsNotShown > 0,
    `${counted(recordsNotShown, 'record')} the writer has under way, not known to be synced, not shown`,
  );
  note(
    voidSegments > 0,
    `${counted(voidSegments, 'segment file')} prepared ahead or left behind, without records`,
  );
  note(unfinishedFiles.length > 0, `unfinished: ${listed(unfinishedFiles)}`);
  note(strayFiles.length > 0, `no business of the store: ${listed(strayFiles)}`);
  note(savedAside.length > 0, `saved by repairs: ${listed(savedAside)}`);
  if (notes.length === 0) return [];
  return ['', paint('dim', 'NOTES'), ...notes.map((text) => `  ${text}`)];
}

const MAX_FILES = 5;

function listed(files: readonly string[]): string {
  const shown = files.slice(0, MAX_FILES).map(printable).join(', ');
  return files.length > MAX_FILES ? `${shown} and ${files.length - MAX_FILES} more` : shown;
}
