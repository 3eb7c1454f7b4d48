/** A crash in words: which calls came before it, and what of them the disk kept. */
import { inspect } from 'node:util';
import type { CrashWalk } from './crash-walk.ts';
import type { Entry } from './sim-journal.ts';

/** Calls shown before the crash. */
const SHOWN = 14;
/** Things told shown, and characters of one. */
const SHOWN_TOLD = 5;
const MAX_SHOWN = 120;

/** The last calls before a crash, one a line, with what became of those in doubt. */
export function describeCrash(
  walk: CrashWalk,
  journal: readonly Entry[],
  choice: string,
  known: Iterable<readonly [path: string, file: number]> = [],
): string {
  const point = walk.length;
  const { undecided } = walk;
  const names = new Map<number, string>();
  for (const [path, file] of known) names.set(file, path);
  const fates = choice.startsWith('cut:') ? choice.slice('cut:'.length).split('.') : [];
  const lines: string[] = [];
  const from = Math.max(0, Math.min(point - SHOWN, undecided[0] ?? point));
  for (let index = 0; index < point; index++) {
    const entry = journal[index] as Entry;
    if (entry.kind === 'create') names.set(entry.file, entry.path);
    if (index >= from) {
      const doubt = undecided.indexOf(index);
      const fate = doubt < 0 ? '' : `  <- ${fateOf(choice, fates[doubt])}`;
      lines.push(`  ${index + 1}. ${callOf(entry, names)}${fate}`);
    }
    if (entry.kind === 'rename') names.set(entry.file, entry.to);
  }
  if (from > 0) lines.unshift(`  ... ${from} calls before`);
  lines.push(choice.startsWith('kill') ? '  the process dies here' : '  the power is cut here');
  if (choice.startsWith('kill~'))
    lines.push('  the last write was under way: its beginning is there');
  return lines.join('\n');
}

function fateOf(choice: string, fate: string | undefined): string {
  if (choice.startsWith('kill')) return 'not synced, seen by the next process';
  if (fate === 'w') return 'not synced, kept';
  if (fate === 'n' || fate === undefined) return 'not synced, lost';
  return fate === 'l' ? 'not synced, its length kept, its bytes zeros' : `torn: ${fate}`;
}

function callOf(entry: Entry, names: ReadonlyMap<number, string>): string {
  switch (entry.kind) {
    case 'write':
      return `write ${entry.bytes.length} bytes at ${entry.at} of ${names.get(entry.file) ?? '?'}`;
    case 'truncate':
      return `truncate ${names.get(entry.file) ?? '?'} to ${entry.length}`;
    case 'rename':
      return `rename ${entry.path} to ${entry.to}`;
    case 'sync':
      return `${entry.failed === true ? 'failed sync of' : 'sync'} ${names.get(entry.file) ?? '?'}`;
    case 'syncdir':
      return `sync directory ${entry.path}`;
    case 'durable':
      return `entry ${entry.write + 1} came back as synced`;
    case 'told':
      return `told: ${shown(entry.what)}`;
    default:
      return `${entry.kind} ${entry.path}`;
  }
}

function shown(what: unknown): string {
  const text = typeof what === 'string' ? what : inspect(what, { depth: 3, breakLength: Infinity });
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text;
}

/** What checkCrashes() says of a crash: `what` it led to. */
export function violationText(crash: {
  readonly what: string;
  readonly life: number;
  readonly isNested: boolean;
  readonly cause: unknown;
  readonly told: readonly unknown[];
  readonly calls: string;
  readonly token: string;
  readonly isReproducible: boolean;
}): string {
  const { what, cause, life, isNested, told, calls, token, isReproducible } = crash;
  const last = told.slice(-SHOWN_TOLD).map((one) => `    ${shown(one)}`);
  const before = told.length - last.length;
  const again = isReproducible
    ? `Again: checkCrashes({ ..., replay: '${token}' })`
    : 'It did not happen again when replayed: the workload depends on something that is not simulated';
  return [
    `${what}: ${textOf(cause)}`,
    `  The world had been told ${told.length === 0 ? 'nothing' : told.length === 1 ? '1 thing:' : `${told.length} things:`}`,
    ...(before > 0 ? [`    ... ${before} before`] : []),
    ...last,
    life > 0
      ? `  It was start ${life + 1}, after ${life === 1 ? 'a crash' : `${life} crashes`}.`
      : '',
    isNested ? '  It happened while the oracle looked at what an earlier crash had left.' : '',
    '  The disk had been asked:',
    calls,
    `  ${again}`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : shown(error);
}
