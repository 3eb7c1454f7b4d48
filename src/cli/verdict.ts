/** What is wrong with a store, in one word: damage, or only that this version of pawl cannot read it. Pure. */
import type { Problem } from './output.ts';
import type { Paint } from './text.ts';

/** Nothing is lost, and there is nothing to repair: all of it is whole, but in a form not known here. */
export function isForeign(problems: readonly Problem[]): boolean {
  return problems.length > 0 && problems.every((one) => one.code === 'FORMAT_UNSUPPORTED');
}

export function verdictOf(problems: readonly Problem[], paint: Paint): string {
  if (problems.length === 0) return paint('good', 'ok');
  return isForeign(problems) ? paint('warn', 'UNSUPPORTED') : paint('bad', 'DAMAGED');
}
