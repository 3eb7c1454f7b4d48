/**
 * The one way results and failures leave the command: results on stdout in the format asked for,
 * everything else on stderr.
 */
import { isStoreError, type StoreError } from '../base/errors.ts';
import { toJson } from '../value/json.ts';
import type { Output, Shell } from './shell.ts';
import { painter, printable } from './text.ts';

export const FORMATS = ['table', 'json', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

/** What a command works with. */
export interface Context {
  readonly shell: Shell;
  readonly format: Format;
}

/** One result that is a whole. */
export function printResult(
  context: Context,
  value: unknown,
  lines: () => readonly string[],
): void {
  const { out } = context.shell;
  if (context.format === 'table')
    out.write(
      lines()
        .map((line) => `${line}\n`)
        .join(''),
    );
  else out.write(`${toJson(value, context.format === 'json' ? 2 : 0)}\n`);
}

/** For people, about what is going on; programs read stdout. */
export function say(context: Context, line: string): void {
  context.shell.err.write(`${line}\n`);
}

/** An error as plain data; a StoreError is one itself. */
export type Problem = Pick<StoreError, 'code' | 'message' | 'details'>;

export function errorData(error: StoreError): Problem & { readonly retryable: boolean } {
  const { code, message, details, retryable } = error;
  return { code, message, details, retryable };
}

export function printError(err: Output, format: Format, error: unknown): void {
  if (!isStoreError(error)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    err.write(`${text}\nThis is a defect of pawl itself; please report it with the lines above.\n`);
    return;
  }
  if (format !== 'table') err.write(`${toJson({ error: errorData(error) })}\n`);
  else
    err.write(
      errorLines(err, error)
        .map((line) => `${line}\n`)
        .join(''),
    );
}

function errorLines(err: Output, error: StoreError): string[] {
  const paint = painter(err);
  const head = `${paint('bad', error.code)}  ${printable(error.message)}`;
  const details = Object.entries(error.details).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...details.map(([name]) => name.length));
  return [head, ...details.map(([name, value]) => `  ${name.padEnd(width)}  ${detailText(value)}`)];
}

function detailText(value: unknown): string {
  return printable(typeof value === 'string' ? value : toJson(value));
}
