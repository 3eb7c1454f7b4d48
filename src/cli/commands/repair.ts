/**
 * `pawl repair DIR`: says what a repair would keep and lose, asks, and does it. Nothing happens
 * without a yes, on the command line or at the keyboard.
 */
import { StoreError, badRequest } from '../../base/errors.ts';
import { repairAll } from '../../engine/repair-store.ts';
import type { RepairReport } from '../../../wal/repair.ts';
import { EXIT } from '../exit-code.ts';
import { chooseReading } from '../live.ts';
import { type Context, errorData, printResult, say } from '../output.ts';
import { type Paint, count, counted, painter, printable, size } from '../text.ts';
import { lostText, problemLines } from './verify.ts';

export interface RepairChoices {
  readonly yes?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

export async function repair(
  directory: string,
  choices: RepairChoices,
  context: Context,
): Promise<number> {
  const plan = await repairAll(directory, { dryRun: true });
  if (plan.problems.length === 0 || choices.dryRun === true) {
    const isDryRun = choices.dryRun === true;
    printResult(context, resultOf(directory, plan, isDryRun), () =>
      planLines(directory, plan, painter(context.shell.out)),
    );
    return EXIT.ok;
  }
  if (!(await isAgreed(directory, plan, choices, context))) {
    say(context, 'Nothing was changed.');
    return EXIT.error;
  }
  const done = await repairAll(directory);
  printResult(context, resultOf(directory, done, false), () => doneLines(directory, done, context));
  return EXIT.ok;
}

/** @throws {StoreError} STORE_LOCKED - a writer lives; BAD_REQUEST - nobody is there to be asked */
async function isAgreed(
  directory: string,
  plan: RepairReport,
  choices: RepairChoices,
  context: Context,
): Promise<boolean> {
  const { writer } = await chooseReading(directory);
  if (writer !== undefined) {
    throw new StoreError(
      'STORE_LOCKED',
      `'${directory}' is open for writing by process ${writer.pid}`,
      { details: writer },
    );
  }
  if (choices.yes === true) return true;
  const { shell } = context;
  if (!shell.canAsk) {
    throw badRequest(
      `'${directory}' is damaged; repairing it takes --yes where nobody can be asked, and --dry-run says what it would do`,
      '--yes',
    );
  }
  for (const line of planLines(directory, plan, painter(shell.err))) say(context, line);
  const answer = await shell.ask(`\nRepair ${printable(directory)} now? [y/N] `);
  return /^y(?:es)?$/i.test(answer.trim());
}

function resultOf(directory: string, report: RepairReport, isDryRun: boolean): object {
  const { problems, lost, ...rest } = report;
  return {
    location: directory,
    dryRun: isDryRun,
    damaged: problems.length > 0,
    ...rest,
    ...(lost === undefined ? {} : { lost }),
    problems: problems.map(errorData),
  };
}

function planLines(directory: string, plan: RepairReport, paint: Paint): string[] {
  const place = printable(directory);
  if (plan.problems.length === 0) {
    return [
      `${paint('good', 'ok')}  ${place}: nothing to repair, ${counted(plan.lastOffset, 'record')}`,
    ];
  }
  return [
    `${paint('bad', 'DAMAGED')}  ${place}: a repair would`,
    ...effects(plan),
    `    copy ${plan.saved.length === 1 ? '1 file' : `${plan.saved.length} files`} to a directory of its own first: ${plan.saved.join(', ')}`,
    ...problemLines(plan.problems),
  ];
}

function effects(report: RepairReport): string[] {
  const { lastOffset, lost, bytesRemoved } = report;
  const keep =
    lastOffset === 0 ? '    keep no record' : `    keep every record up to ${count(lastOffset)}`;
  const lose =
    lost === undefined ? '    lose no record' : `    lose ${size(bytesRemoved)}: ${lostText(lost)}`;
  return [keep, lose];
}

function doneLines(directory: string, done: RepairReport, context: Context): string[] {
  const paint = painter(context.shell.out);
  const { lastOffset, lost, bytesRemoved, savedTo } = done;
  const kept =
    lastOffset === 0 ? 'no record is left' : `every record up to ${count(lastOffset)} is kept`;
  return [
    `${paint('good', 'repaired')}  ${printable(directory)}: ${kept}`,
    lost === undefined
      ? '    no record was lost'
      : `    lost, ${size(bytesRemoved)}: ${lostText(lost)}`,
    `    as it was: ${printable(savedTo)}`,
  ];
}
