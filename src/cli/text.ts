/**
 * How things are written for people: numbers, sizes, times, colours, and names that may hold
 * anything. Pure.
 */
import { KiB } from '../base/units.ts';
import type { Output } from './shell.ts';

export type Style = 'bold' | 'dim' | 'good' | 'bad' | 'warn';

/** [on, off] of each style, as SGR parameters (ECMA-48 8.3.117). */
const SGR: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  good: [32, 39],
  bad: [31, 39],
  warn: [33, 39],
};

export type Paint = (style: Style, text: string) => string;

export function painter(output: Output): Paint {
  if (!output.isColoured) return (_, text) => text;
  return (style, text) => {
    const [on, off] = SGR[style];
    return `\u001B[${on}m${text}\u001B[${off}m`;
  };
}

const counts = new Intl.NumberFormat('en-US');

/** 12,345 */
export function count(value: number): string {
  return counts.format(value);
}

/** '1 record', '2 records' */
export function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`;
}

const SIZE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 1.5 MiB; three digits at least, none wasted. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= KiB && unit < SIZE_UNITS.length - 1) {
    value /= KiB;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${SIZE_UNITS[unit] ?? ''}`;
}

/** 2026-11-20 17:31:02.123Z; numbers that are no time are shown as they are. */
export function time(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString().replace('T', ' ');
}

/** Control characters, and those that turn the direction of what follows. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/** Names and data are anybody's: nothing in them may reach the terminal as a command. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Cut to so many characters, the last one an ellipsis; undefined: not at all. */
export function cut(text: string, columns: number | undefined): string {
  if (columns === undefined || text.length <= columns) return text;
  const characters = Array.from(text);
  if (characters.length <= columns) return text;
  return `${characters.slice(0, Math.max(0, columns - 1)).join('')}…`;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of at most `columns` characters; something that is not nothing shows. */
export function bar(share: number, columns: number): string {
  const eighths = Math.min(columns * 8, Math.round(share * columns * 8));
  const shown = share > 0 ? Math.max(1, eighths) : 0;
  return '█'.repeat(Math.floor(shown / 8)) + (EIGHTHS[shown % 8] ?? '');
}
