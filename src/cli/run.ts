/** From arguments to exit code: the whole command, apart from the process it runs in. */
import { createRequire } from 'node:module';
import { type Invocation, formatIn, parseArguments } from './args.ts';
import { compact } from './commands/compact.ts';
import { dump } from './commands/dump.ts';
import { inspect } from './commands/inspect.ts';
import { repair } from './commands/repair.ts';
import { snapshots } from './commands/snapshots.ts';
import { stats } from './commands/stats.ts';
import { verify } from './commands/verify.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { type Context, type Format, printError } from './output.ts';
import type { Shell } from './shell.ts';

export async function run(args: readonly string[], shell: Shell): Promise<number> {
  let format: Format = formatIn(args);
  try {
    const parsed = parseArguments(args, packageVersion());
    if ('text' in parsed) {
      (parsed.isAskedFor ? shell.out : shell.err).write(parsed.text);
      return parsed.isAskedFor ? EXIT.ok : EXIT.usage;
    }
    format = parsed.format;
    return await execute(parsed, { shell, format });
  } catch (error) {
    if (shell.isAbandoned()) return EXIT.ok;
    printError(shell.err, format, error);
    return exitCodeOf(error);
  }
}

function execute(invocation: Invocation, context: Context): Promise<number> {
  const { command, directory } = invocation;
  if (command === 'inspect') return inspect(directory, invocation.choices, context);
  if (command === 'verify') return verify(directory, context);
  if (command === 'repair') return repair(directory, invocation.choices, context);
  if (command === 'snapshots') return snapshots(directory, context);
  if (command === 'stats') return stats(directory, context);
  if (command === 'compact') return compact(directory, invocation.choices, context);
  return dump(directory, invocation.choices, context);
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('pawl/package.json') as { version: string };
  return version;
}
