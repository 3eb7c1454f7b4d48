/**
 * What the command line says: commands, options, help. Everything wrong with it is BAD_REQUEST,
 * so usage errors look like all others and end with exit code 2.
 */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { badRequest } from '../base/errors.ts';
import type { CompactChoices } from './commands/compact.ts';
import type { DumpChoices } from './commands/dump.ts';
import type { InspectChoices } from './commands/inspect.ts';
import type { RepairChoices } from './commands/repair.ts';
import { FORMATS, type Format } from './output.ts';

/** A command and what was chosen for it. */
export type Invocation = { readonly directory: string; readonly format: Format } & (
  | { readonly command: 'inspect'; readonly choices: InspectChoices }
  | { readonly command: 'verify' }
  | { readonly command: 'repair'; readonly choices: RepairChoices }
  | { readonly command: 'dump'; readonly choices: DumpChoices }
  | { readonly command: 'snapshots' }
  | { readonly command: 'stats' }
  | { readonly command: 'compact'; readonly choices: CompactChoices }
);

/** Or a text in its place: help, the version; not asked for when there was no command at all. */
export type Parsed = Invocation | { readonly text: string; readonly isAskedFor: boolean };

const AFTER_HELP = `
Exit codes: 0 ok, 1 error or damage, 2 usage, 3 not found, 4 conflict (the store is locked).
Results go to stdout, messages to stderr. All but repair and compact only read, and work beside a live writer.

Examples:
  $ pawl inspect ./data                  what is in it, by machine and state
  $ pawl inspect ./data --watch          the same, while it changes
  $ pawl verify ./data && echo sound     every byte, every record
  $ pawl dump ./data --format ndjson | tail -1
  $ pawl repair ./data --dry-run         what a repair would keep and lose`;

const EXAMPLES = {
  inspect: `
Examples:
  $ pawl inspect ./data
  $ pawl inspect ./data --watch
  $ pawl inspect ./data --format json | jq '.machines[].versions[].states'`,
  verify: `
Exit code 1 when anything is wrong. An interrupted last write is not: opening the store drops it.

Examples:
  $ pawl verify ./data
  $ pawl verify ./data --format json | jq -r '.problems[].message'`,
  repair: `
Records are kept up to the first one that is lost; those behind it cannot be. Every file that
changes or goes is copied to DIR/damaged-N first. Running it again after a crash is safe.

Examples:
  $ pawl repair ./data --dry-run
  $ pawl repair ./data --yes`,
  dump: `
Offsets are positions in the log, one a record; "commit" is the last offset of the same commit.

Examples:
  $ pawl dump ./data --limit 20
  $ pawl dump ./data --from 1000 --format ndjson
  $ pawl dump ./data --format ndjson | jq 'select(.id == "order-1")'`,
  snapshots: `
Exit code 1 when one of them is damaged; the store opens from another one, if it can.

Examples:
  $ pawl snapshots ./data
  $ pawl snapshots ./data --format json | jq '.snapshots[-1].offset'`,
  stats: `
Examples:
  $ pawl stats ./data
  $ pawl stats ./data --format json | jq '.snapshots.recordsBehind'`,
  compact: `
Needs the store for itself: while a process has it open, call store.compact() there.

Examples:
  $ pawl compact ./data
  $ pawl compact ./data --force --archive`,
} as const;

/** @throws {StoreError} BAD_REQUEST - for the person at the keyboard. */
export function parseArguments(args: readonly string[], version: string): Parsed {
  let parsed: Parsed | undefined;
  let text = '';
  const program = buildProgram(version, (invocation) => (parsed = invocation));
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (piece) => (text += piece),
      writeErr: (piece) => (text += piece),
      outputError: () => undefined,
    });
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { text, isAskedFor: true };
    if (error.code === 'commander.help') return { text, isAskedFor: false };
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    throw badRequest(`${message} (see pawl --help)`);
  }
  return parsed ?? { text, isAskedFor: true };
}

/** The format as far as it can be told when the rest is wrong. */
export function formatIn(args: readonly string[]): Format {
  const at = args.indexOf('--format');
  const joined = args.find((arg) => arg.startsWith('--format='))?.slice('--format='.length);
  const wanted = joined ?? (at === -1 ? undefined : args[at + 1]);
  return FORMATS.find((format) => format === wanted) ?? 'table';
}

function buildProgram(version: string, found: (invocation: Invocation) => void): Command {
  const program = new Command('pawl')
    .description('Looks into a Pawl store: what is in it, whether it is whole, what its log says.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', AFTER_HELP);
  addCommand(program, 'inspect', 'Show an overview of a store.')
    .option('-w, --watch', 'show it again whenever its files change; Ctrl-C ends it')
    .action((directory: string, { format, ...choices }: Chosen<InspectChoices>) =>
      found({ command: 'inspect', directory, format, choices }),
    );
  addCommand(
    program,
    'verify',
    'Read every byte and name each damaged place. Changes nothing.',
  ).action((directory: string, { format }: Chosen<object>) =>
    found({ command: 'verify', directory, format }),
  );
  addCommand(program, 'repair', 'Make a damaged store openable again. Asks first.')
    .option('-y, --yes', 'do not ask')
    .option('-n, --dry-run', 'say what would be done, and change nothing')
    .action((directory: string, { format, ...choices }: Chosen<RepairChoices>) =>
      found({ command: 'repair', directory, format, choices }),
    );
  addCommand(program, 'dump', 'Show the log, record by record.')
    .option('--from <offset>', 'the first record to show', positiveInteger)
    .option('--limit <n>', 'show at most so many', positiveInteger)
    .action((directory: string, { format, ...choices }: Chosen<DumpChoices>) =>
      found({ command: 'dump', directory, format, choices }),
    );
  addCommand(program, 'snapshots', 'List the snapshots and check each. Changes nothing.').action(
    (directory: string, { format }: Chosen<object>) =>
      found({ command: 'snapshots', directory, format }),
  );
  addCommand(program, 'stats', 'Show figures: records, instances, bytes.').action(
    (directory: string, { format }: Chosen<object>) =>
      found({ command: 'stats', directory, format }),
  );
  addCommand(program, 'compact', 'Take a snapshot and drop the log before the kept ones.')
    .option('--force', 'keep the newest snapshot only')
    .option('--archive', 'move dropped log files to DIR/archive instead of removing them')
    .action((directory: string, { format, ...choices }: Chosen<CompactChoices>) =>
      found({ command: 'compact', directory, format, choices }),
    );
  return program;
}

type Chosen<T> = T & { readonly format: Format };

function addCommand(program: Command, name: keyof typeof EXAMPLES, description: string): Command {
  return program
    .command(name)
    .description(description)
    .addArgument(new Argument('<directory>', 'the directory of the store'))
    .addOption(
      new Option('-f, --format <format>', 'how to show it').choices(FORMATS).default('table'),
    )
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', EXAMPLES[name]);
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a positive integer.');
  }
  return value;
}
