/**
 * The command line of the demo: options, their defaults and their limits. Whatever is wrong with
 * them is a UsageError, which the demo answers with this usage text and exit code 2.
 */
import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Absent: a fresh temporary directory. */
  readonly directory?: string;
  readonly logFile: string;
  /** Log whose fold the store is compared with: a wrong one shows that the comparison can fail. */
  readonly expectFile: string;
  readonly caseLimit?: number;
  readonly concurrency: number;
  /** Share of all writes after whose acknowledgement the worker is killed, 0 to 1. */
  readonly killAt: number;
  readonly isKept: boolean;
}

export type ParsedOptions =
  | { readonly kind: 'run'; readonly options: DemoOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly reason: string };

const MAX_CONCURRENCY = 10_000;

export const USAGE: string = `Usage: npm run demo -- [options]

Replays a real event log into a store, kills the writing process half way, reopens the store,
finishes the work and compares every case with a plain fold of the log.

  --log FILE         log to replay, as described in docs/examples/data/README.md
                     (default: road traffic fines, 10,000 cases)
  --cases N          only the first N cases of it
  --concurrency N    cases worked on at the same time, up to ${MAX_CONCURRENCY} (default: 400)
  --kill-at SHARE    kill after this share of the writes, 0 to 1 (default: 0.5)
  --dir DIR          make the store here and keep it; must be empty or absent
                     (default: a temporary directory, removed at the end)
  --keep             keep the temporary directory
  --expect FILE      compare with the fold of another log, to see the comparison fail
  --help             this text

Exit codes: 0 no difference, 1 a difference or a failure, 2 wrong usage.
`;

/** @param defaultLog path of the log that comes with the package */
export function parseOptions(args: readonly string[], defaultLog: string): ParsedOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        log: { type: 'string', default: defaultLog },
        cases: { type: 'string' },
        concurrency: { type: 'string', default: '400' },
        'kill-at': { type: 'string', default: '0.5' },
        dir: { type: 'string' },
        keep: { type: 'boolean', default: false },
        expect: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { kind: 'help' };
    const options: DemoOptions = {
      logFile: values.log,
      expectFile: values.expect ?? values.log,
      concurrency: wholeNumber('--concurrency', values.concurrency, MAX_CONCURRENCY),
      killAt: share('--kill-at', values['kill-at']),
      isKept: values.keep || values.dir !== undefined,
      ...(values.dir !== undefined && { directory: values.dir }),
      ...(values.cases !== undefined && {
        caseLimit: wholeNumber('--cases', values.cases, Number.MAX_SAFE_INTEGER),
      }),
    };
    return { kind: 'run', options };
  } catch (error) {
    if (error instanceof Error) return { kind: 'wrong', reason: error.message };
    throw error;
  }
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw new Error(`${option} takes a whole number from 1 to ${max}, not '${text}'`);
}

function share(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new Error(`${option} takes a number from 0 to 1, not '${text}'`);
}
