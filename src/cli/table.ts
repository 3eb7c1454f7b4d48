/** Rows of text as columns, two spaces between them. Widths follow the content; the last column is not padded. */

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A cell: what is measured, and what is written in its place (colours take no room). */
export interface Cell {
  readonly text: string;
  readonly painted?: string | undefined;
}

export type Row = readonly (string | Cell)[];

const GAP = '  ';

export function columnWidths(columns: readonly Column[], rows: readonly Row[]): number[] {
  return columns.map((column, i) =>
    rows.reduce((width, row) => Math.max(width, lengthOf(textOf(row[i]))), lengthOf(column.title)),
  );
}

export function headLine(columns: readonly Column[], widths: readonly number[]): string {
  return rowLine(
    columns,
    widths,
    columns.map((column) => column.title),
  );
}

export function rowLine(columns: readonly Column[], widths: readonly number[], row: Row): string {
  const cells = columns.map((column, i) => {
    const cell = row[i] ?? '';
    const shown = typeof cell === 'string' ? cell : (cell.painted ?? cell.text);
    const missing = Math.max(0, (widths[i] ?? 0) - lengthOf(textOf(cell)));
    if (column.align === 'right') return ' '.repeat(missing) + shown;
    return i === columns.length - 1 ? shown : shown + ' '.repeat(missing);
  });
  return cells.join(GAP).trimEnd();
}

export function tableLines(columns: readonly Column[], rows: readonly Row[]): string[] {
  const widths = columnWidths(columns, rows);
  return [headLine(columns, widths), ...rows.map((row) => rowLine(columns, widths, row))];
}

function textOf(cell: string | Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}

function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
