/** The arguments of `npm run crash`: what may be asked for, and what is said of anything else. */
import { availableParallelism } from 'node:os';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

export const CAMPAIGNS = ['log', 'store', 'damage'] as const;
export type CampaignName = (typeof CAMPAIGNS)[number];

export interface Asked {
  /** Distinct states wanted. */
  readonly states: number;
  /** Instead of a number of states. */
  readonly minutes: number | undefined;
  readonly seed: number;
  readonly only: CampaignName | undefined;
  readonly isExhaustive: boolean;
  readonly jobs: number;
  readonly replay: string | undefined;
  readonly isJson: boolean;
}

interface Given {
  readonly runs: number;
  readonly minutes?: number;
  readonly seed: number;
  readonly only?: CampaignName;
  readonly exhaustive?: boolean;
  readonly jobs: number;
  readonly replay?: string;
  readonly json?: boolean;
}

const LONGEST = 2 ** 32;
const MOST_JOBS = 256;
const EXAMPLES = `
Examples:
  npm run crash                               100,000 states, seed 1
  npm run crash -- --runs 10_000_000 --jobs 8
  npm run crash -- --minutes 30 --only log --seed 7
  npm run crash -- --only damage --exhaustive every bit and length of stores of 256 KiB
  npm run crash -- --replay log/1/2/40/kill   that state again
`;

/** A whole number from `least` to `most`; digits may be grouped by underscores. */
function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d(?:_?\d)*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
    return value;
  };
}

function minutes(text: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value < 100_000))
    throw new InvalidArgumentError('It must be a number of minutes above 0.');
  return value;
}

function commandOf(): Command {
  return new Command('crash')
    .description(
      'Crashes and damages simulated stores, and holds what is recovered against what must be.',
    )
    .addOption(
      new Option('--runs <n>', 'distinct states wanted, over all jobs')
        .argParser(integer(1, 1e12))
        .default(100_000),
    )
    .addOption(
      new Option('--minutes <m>', 'run so long instead').argParser(minutes).conflicts('runs'),
    )
    .addOption(
      new Option('--seed <s>', 'decides everything').argParser(integer(0, LONGEST - 1)).default(1),
    )
    .addOption(new Option('--only <campaign>', 'one campaign').choices([...CAMPAIGNS]))
    .addOption(new Option('--exhaustive', 'all damage to large stores; with --only damage'))
    .addOption(
      new Option('--jobs <n>', 'processes')
        .argParser(integer(1, MOST_JOBS))
        .default(availableParallelism(), 'one a core'),
    )
    .addOption(new Option('--replay <token>', 'one state again, as a violation named it'))
    .addOption(new Option('--json', 'the summary as JSON'))
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .helpOption('--help', 'this text')
    .exitOverride();
}

/** What is asked for, or the exit code when that is all: help was given, or the usage is wrong. */
export function parse(args: readonly string[]): Asked | number {
  const command = commandOf();
  try {
    command.parse(args, { from: 'user' });
    const { runs, json = false, exhaustive = false, ...given } = command.opts<Given>();
    if (exhaustive && given.only !== 'damage')
      command.error('error: --exhaustive needs --only damage');
    return {
      states: runs,
      minutes: given.minutes,
      seed: given.seed,
      only: given.only,
      isExhaustive: exhaustive,
      jobs: given.jobs,
      replay: given.replay,
      isJson: json,
    };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}
