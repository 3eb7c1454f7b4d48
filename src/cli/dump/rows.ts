/** Dumped records as lines of a table. Widths come from the first screenful; later rows may run over. */
import { toJson } from '../../value/json.ts';
import { type Column, type Row, columnWidths, headLine, rowLine } from '../table.ts';
import { type Paint, cut, printable, time } from '../text.ts';
import type { DumpedRecord } from './decode.ts';

const COLUMNS: readonly Column[] = [
  { title: 'OFFSET', align: 'right' },
  { title: '' },
  { title: 'TIME' },
  { title: 'KIND' },
  { title: 'MACHINE' },
  { title: 'ID' },
  { title: 'EVENT' },
  { title: 'STATE' },
  { title: 'DATA' },
];

/** Rows that are looked at before the first line is written. */
const SAMPLE_ROWS = 100;
/** Ids may have 1,024 bytes; a column of that width helps nobody. */
const MAX_NAME = 40;

export class DumpTable {
  private readonly waiting: Row[] = [];
  private widths: number[] | undefined;
  /** Of the record before. */
  private commit = 0;
  private readonly write: (line: string) => void;
  private readonly paint: Paint;
  private readonly columns: number | undefined;

  /** `columns`: characters of a line of the terminal; undefined: nothing is cut. */
  constructor(write: (line: string) => void, paint: Paint, columns: number | undefined) {
    this.write = write;
    this.paint = paint;
    this.columns = columns;
  }

  add(record: DumpedRecord): void {
    const longest = this.columns === undefined ? undefined : MAX_NAME;
    const row = rowOf(record, this.braceOf(record), longest);
    if (this.widths !== undefined) this.line(this.widths, row);
    else if (this.waiting.push(row) >= SAMPLE_ROWS) this.flush();
  }

  /** Joins the records of one commit. */
  private braceOf({ offset, commit }: DumpedRecord): string {
    const isJoined = commit === this.commit;
    this.commit = commit;
    if (offset < commit) return isJoined ? '│' : '┐';
    return isJoined ? '┘' : '';
  }

  /** Writes what still waits, and the heading if there was nothing at all. */
  end(): void {
    if (this.widths === undefined) this.flush();
  }

  private flush(): void {
    const widths = columnWidths(COLUMNS, this.waiting);
    this.widths = widths;
    this.write(this.paint('dim', cut(headLine(COLUMNS, widths), this.columns)));
    for (const row of this.waiting) this.line(widths, row);
    this.waiting.length = 0;
  }

  private line(widths: readonly number[], row: Row): void {
    this.write(cut(rowLine(COLUMNS, widths, row), this.columns));
  }
}

function rowOf(record: DumpedRecord, brace: string, longest: number | undefined): Row {
  const { offset, kind, machine, version, collection, id, event, from, to } = record;
  const name = (text: string | undefined): string => cut(printable(text ?? ''), longest);
  const versioned = version === undefined ? name(machine) : `${name(machine)} v${version}`;
  const states = [from, to].flatMap((state) => (state === undefined ? [] : [name(state)]));
  return [
    String(offset),
    brace,
    time(record.time),
    kind,
    machine === undefined ? name(collection) : versioned,
    name(id),
    name(event),
    states.join(' → '),
    dataOf(record),
  ];
}

/** What the event brought, then whatever else was noted with it. */
function dataOf(record: DumpedRecord): string {
  const { payload, context, definition, indexes, value, at, metadata, config } = record;
  const body = payload ?? context ?? definition ?? indexes ?? value ?? metadata ?? config;
  const { eventId, key, actor, reason, correlationId, deletedThrough, keysThrough } = record;
  const { fromVersion, scope, vector, ids } = record;
  const notes = {
    fromVersion,
    eventId,
    key,
    actor,
    reason,
    correlationId,
    deletedThrough,
    keysThrough,
    scope,
    dimensions: vector?.length,
    ids: ids?.join(','),
  };
  const parts = body === undefined ? [] : [toJson(body)];
  if (at !== undefined) parts.push(`at=${time(at)}`);
  for (const [name, note] of Object.entries(notes)) {
    if (note !== undefined) parts.push(`${name}=${note}`);
  }
  return printable(parts.join('  '));
}
