/** The tables of docs/format.md as data: what the second reader and the comparison with the code go by. */
import { textOf } from '../tidy/sources.ts';

export interface Field {
  readonly name: string;
  readonly at: number;
  readonly size: number;
}

export interface RecordShape {
  readonly kind: number;
  readonly name: string;
  /** Name and type of each field, in order. */
  readonly fields: readonly (readonly [name: string, type: string])[];
}

export interface OptionalField {
  readonly bit: number;
  readonly name: string;
  readonly types: readonly string[];
}

const PAGE = textOf('docs/format.md');
const BEGIN = '<!-- example: begin -->\n';
const END = '<!-- example: end -->';

/** Rows of the first table behind a heading, cells trimmed, without its head. */
export function tableUnder(heading: string): string[][] {
  const start = PAGE.search(new RegExp(`^#+ ${heading}$`, 'm'));
  if (start < 0) throw new Error(`docs/format.md has no heading '${heading}'`);
  const lines = PAGE.slice(start).split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const rows: string[][] = [];
  for (let i = first + 2; lines[i]?.startsWith('|') === true; i++) {
    rows.push(
      lines[i]!.split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

function bare(cell: string): string {
  return cell.replaceAll('`', '');
}

/** A table of byte, size and field. */
export function structure(heading: string): Field[] {
  return tableUnder(heading).map(([at, size, name]) => ({
    name: bare(name!),
    at: Number(at),
    size: Number(size),
  }));
}

export function recordShapes(): RecordShape[] {
  return tableUnder('Record kinds').map(([kind, name, fields]) => ({
    kind: Number(kind),
    name: bare(name!),
    fields: [...fields!.matchAll(/`(\w+)` (\w+)/g)].map((match) => [match[1]!, match[2]!]),
  }));
}

export function optionalFields(): OptionalField[] {
  return tableUnder('Optional fields').map(([bit, name, types]) => ({
    bit: Number(bit),
    name: bare(name!),
    types: types!.split(',').map((type) => type.trim()),
  }));
}

/** Every first byte of a value that the page names. */
export function leadBytes(): Set<number> {
  const named = new Set<number>();
  for (const cells of tableUnder('Values')) {
    for (const cell of [cells[0]!, cells[2]!]) {
      const [first, last = first] = cell.split(' to ').map((hex) => Number.parseInt(hex, 16));
      for (let byte = first!; byte <= last!; byte++) named.add(byte);
    }
  }
  return named;
}

export function limits(): Map<string, number> {
  return new Map(tableUnder('Limits').map(([what, value]) => [what!, Number(value)]));
}

/** The worked example, as it stands on the page. */
export function example(): string {
  const text = PAGE.slice(PAGE.indexOf(BEGIN) + BEGIN.length, PAGE.indexOf(END));
  return text
    .trim()
    .replace(/^```text\n/, '')
    .replace(/\n```$/, '');
}
