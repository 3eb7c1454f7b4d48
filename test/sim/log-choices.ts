/** The crashes tried at one point of a log's life: those of choicesAt(), and all writes in doubt torn at once. */
import type { Random } from '../../src/base/random.ts';
import { choicesAt } from '../../src/testing/crash-states.ts';
import type { CrashWalk } from '../../src/testing/crash-walk.ts';
import type { Entry } from '../../src/testing/sim-journal.ts';

export function crashesAt(walk: CrashWalk, journal: readonly Entry[], random: Random): string[] {
  const choices = choicesAt(walk, journal, random);
  const { undecided } = walk;
  const isWrite = (index: number): boolean => journal[index]?.kind === 'write';
  if (undecided.filter(isWrite).length < 2) return choices;
  const torn = (): string => `t512x${(1 + Math.floor(random.next() * 254)).toString(16)}`;
  choices.push(`cut:${undecided.map((index) => (isWrite(index) ? torn() : 'w')).join('.')}`);
  return choices;
}
