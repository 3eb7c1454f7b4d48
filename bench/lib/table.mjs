/**
 * The one table: a line per row, a column per contestant, and the ratio to the best peer.
 */
import { meetsFloor } from './result.mjs';

/** @typedef {import('./result.mjs').Row} Row */

const CONTESTANTS = ['pawl', 'sqlite', 'leveldb', 'lmdb', 'hnswlib', 'usearch', 'raw', 'other'];
const HEADINGS = [
  'bench',
  'question',
  'unit',
  ...CONTESTANTS,
  'best peer',
  'ratio',
  'min..max',
  'floor',
  '',
];

/** @param {readonly Row[]} rows */
export function formatTable(rows) {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const used = widths.map(
    (_, column) => column < 3 || lines.slice(1).some((line) => line[column] !== ''),
  );
  const format = (/** @type {string[]} */ line) =>
    line
      .map((cell, column) =>
        column < 3 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      )
      .filter((_, column) => used[column])
      .join('  ')
      .trimEnd();
  const rule = widths
    .map((width) => '-'.repeat(width))
    .filter((_, column) => used[column])
    .join('  ');
  return [format(HEADINGS), rule, ...lines.slice(1).map(format)].join('\n');
}

/** @param {Row} row */
function cells(row) {
  const isMet = meetsFloor(row);
  return [
    row.bench,
    row.row,
    row.unit,
    ...CONTESTANTS.map((name) => (row.values[name] === undefined ? '' : number(row.values[name]))),
    row.best ?? '',
    row.ratio === undefined ? '' : `${ratio(row.ratio)}x`,
    row.low === undefined ? '' : `${ratio(row.low)}..${ratio(row.high ?? NaN)}`,
    floorText(row),
    isMet === undefined ? '' : isMet ? 'met' : 'MISSED',
  ];
}

/** @param {Row} row */
function floorText(row) {
  if (row.floor === undefined || row.values['pawl'] === undefined) return '';
  if (row.isLimit === true) return `<= ${number(row.floor)}`;
  return row.ratio === undefined ? `>= ${number(row.floor)}` : `${row.floor}x`;
}

/** @param {number} value */
function number(value) {
  if (!Number.isFinite(value)) return '-';
  if (value !== 0 && Math.abs(value) < 10) return value.toFixed(2);
  return Math.round(value).toLocaleString('en-US');
}

/** @param {number} value */
function ratio(value) {
  if (!Number.isFinite(value)) return '-';
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

/** @param {import('./environment.mjs').Environment} machine */
export function formatMachine(machine) {
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}, ${machine.fileSystem}`,
    `Node ${machine.node}, sources ${machine.commit}, ${machine.date}`,
  ].join('\n');
}

/** @param {ReturnType<typeof import('./environment.mjs').measureDisk>} disk */
export function formatDisk(disk) {
  const one = (name, { p50Us, p99Us }) =>
    `${name} p50 ${Math.round(p50Us)} us, p99 ${Math.round(p99Us)} us`;
  return `raw disk, synced writes in this run: ${one('70 B', disk.bytes70)}; ${one('4 KiB', disk.bytes4096)}`;
}
