/**
 * Reads an event log: one JSON object a line (`case`, `seq`, `activity`, `ts`, `attrs`), compressed
 * or not, ordered as things happened. Gives the cases in the order they first appear, each with its
 * events in file order. Times may repeat and may run backwards; nothing here corrects them.
 */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

/** One thing that happened to a case. */
export interface LogEvent {
  readonly activity: string;
  /** Milliseconds since the epoch, as the log has it; negative before 1970. */
  readonly at: number;
  /** The number the source gave the event inside its case. */
  readonly seq: number;
  readonly attrs: Readonly<Record<string, unknown>>;
}

export interface Case {
  readonly id: string;
  readonly events: readonly LogEvent[];
}

const NEWLINE = 0x0a;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** Reads the first `limit` cases of a log file; all of them without a limit. */
export async function readLogFile(path: string, limit: number = Infinity): Promise<Case[]> {
  const stored = await readFile(path);
  const isCompressed = stored[0] === GZIP_MAGIC[0] && stored[1] === GZIP_MAGIC[1];
  try {
    return parseLog(isCompressed ? gunzipSync(stored) : stored, limit);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** Line by line from the bytes: a big log as one string would meet the engine's string limit. */
export function parseLog(bytes: Buffer, limit: number = Infinity): Case[] {
  const cases = new Map<string, LogEvent[]>();
  let line = 0;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const text = bytes.toString('utf8', start, end).trim();
    start = end + 1;
    line += 1;
    if (text === '') continue;

    const { id, event } = parseLine(text, line);
    const events = cases.get(id);
    if (events !== undefined) events.push(event);
    else if (cases.size < limit) cases.set(id, [event]);
  }
  if (cases.size === 0) throw new Error('no events in this log');
  return Array.from(cases, ([id, events]) => ({ id, events }));
}

function parseLine(text: string, line: number): { id: string; event: LogEvent } {
  const fields = parseObject(text, line);
  const { case: id, seq, activity, ts, attrs = {} } = fields;
  if (typeof id !== 'string') throw wrong(line, 'case', 'a string');
  if (typeof activity !== 'string') throw wrong(line, 'activity', 'a string');
  if (typeof seq !== 'number') throw wrong(line, 'seq', 'a number');
  if (!isObject(attrs)) throw wrong(line, 'attrs', 'an object');
  const at = typeof ts === 'string' ? Date.parse(ts) : Number.NaN;
  if (Number.isNaN(at)) throw wrong(line, 'ts', 'a time in ISO 8601');
  return { id, event: { activity, at, seq, attrs } };
}

function parseObject(text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`line ${line} is not JSON`, { cause: error });
  }
  if (!isObject(value)) throw new Error(`line ${line} is not a JSON object`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(line: number, field: string, expected: string): Error {
  return new Error(`line ${line}: \`${field}\` must be ${expected}`);
}
