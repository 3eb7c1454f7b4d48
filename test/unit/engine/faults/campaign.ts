/** Every fault of a scenario, one run each: which there are, which of them stand for the others, what went wrong. */
import { seededRandom } from '../../../../src/base/random.ts';
import { checkAftermath } from './aftermath.ts';
import type { Fault, IoCall } from './faulty-io.ts';
import { CLASSES, effectsOf, isPlausible, plausibleErrors } from './plausible.ts';
import type { Scenario } from './scenario.ts';
import type { Start } from './starts.ts';
import { describe, type Moment, Trial } from './trial.ts';

const MODES: readonly Fault['mode'][] = ['once', 'healed', 'persistent'];

export interface Campaign {
  /** Made by a run in which nothing fails. */
  readonly calls: number;
  readonly runs: number;
  /** What the callers of all runs were told. */
  readonly acked: number;
  readonly refused: number;
  readonly unknown: number;
  readonly failures: readonly string[];
}

/** All of them. */
function allFaults(call: IoCall): Fault[] {
  return plausibleErrors(call.kind).flatMap((errno) =>
    effectsOf(call.kind).flatMap((effect) =>
      MODES.map((mode) => ({ at: call.index, errno, effect, mode })),
    ),
  );
}

/**
 * One error of each class, shared out among the scenarios that make the same call; at least one.
 * Which error, and in which way, goes round with the number of the call among those of its kind.
 */
function someFaults(call: IoCall, turn: number, { number, of }: Scenario['share']): Fault[] {
  const classes = Object.values(CLASSES)
    .map((errors) => errors.filter((errno) => isPlausible(call.kind, errno)))
    .filter((errors) => errors.length > 0);
  const effects = effectsOf(call.kind);
  const ours = classes.filter((_, i) => (i + turn) % of === number);
  const chosen = ours.length > 0 ? ours : [classes[(turn + number) % classes.length]!];
  return chosen.map((errors, i) => {
    const round = turn + number + i;
    const mode = MODES[Math.floor(round / effects.length) % MODES.length]!;
    const errno = errors[round % errors.length]!;
    return { at: call.index, errno, effect: effects[round % effects.length]!, mode };
  });
}

/** The sync of a directory above the store, in which the store's own was made just now. */
function isNewName(calls: readonly IoCall[], { kind, index }: IoCall): boolean {
  return kind === 'syncdir' && calls[index - 1]?.kind === 'mkdir';
}

/**
 * Of a directory that may not be opened, nobody can say which names in it are safe, and a store may
 * lie below it. That the right to open it goes away between making a name there and syncing it,
 * and comes back later, would leave such a name: this one thing is not survived.
 */
function isTakenAway({ errno, mode }: Fault): boolean {
  return mode === 'healed' && ['EACCES', 'EPERM', 'EROFS', 'ENOENT'].includes(errno);
}

/** Each call of a run in which nothing fails, with its faults. */
export async function faultsOf(
  scenario: Scenario,
  start: Start,
  isComplete: boolean,
): Promise<{ calls: readonly IoCall[]; faults: readonly Fault[] }> {
  const clean = new Trial(scenario, start);
  await clean.run();
  const { calls } = clean.io;
  const turns = new Map<string, number>();
  const faults = calls.flatMap((call) => {
    const turn = turns.get(call.kind) ?? 0;
    turns.set(call.kind, turn + 1);
    const list = isComplete ? allFaults(call) : someFaults(call, turn, scenario.share);
    return isNewName(calls, call) ? list.filter((fault) => !isTakenAway(fault)) : list;
  });
  return { calls, faults };
}

/** A run for each. Whatever is thrown says which call it was, and how it failed. */
export async function injectAll(scenario: Scenario, isComplete: boolean): Promise<Campaign> {
  const start = await scenario.start();
  const { calls, faults } = await faultsOf(scenario, start, isComplete);
  const counts = { acked: 0, refused: 0, unknown: 0 };
  const failures: string[] = [];
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  for (const [run, fault] of faults.entries()) {
    const trial = new Trial(scenario, start, fault);
    try {
      await trial.run();
      const { acked, refused, unknown } = trial.ledger;
      counts.acked += acked;
      counts.refused += refused;
      counts.unknown += unknown;
      await afterwards(trial, scenario, run, isComplete);
      if (unhandled.length > 0) throw new Error(`unhandled: ${String(unhandled.splice(0)[0])}`);
    } catch (error) {
      failures.push(`${describe(calls[fault.at]!, fault)}: ${(error as Error).message}`);
    }
  }
  process.off('unhandledRejection', note);
  return { calls: calls.length, runs: faults.length, ...counts, failures };
}

/** The disk as its calls left it, at the failure and at the end, to a next process and after power cuts: these go round. */
async function afterwards(
  trial: Trial,
  scenario: Scenario,
  run: number,
  isComplete: boolean,
): Promise<void> {
  const { disk, io, failure } = trial;
  io.heal();
  const end = trial.moment();
  const random = seededRandom(run);
  const isKept = [(): boolean => true, (): boolean => false, () => random.next() < 0.5];
  const moments: Moment[] = failure === undefined ? [end] : [failure, end];
  const states = moments.flatMap((moment) => isKept.map((keep) => ({ ...moment, keep })));
  for (let n = 0; n < (isComplete ? 2 : 1); n++) {
    const { length, kill, cut, keep } = states[(run + 2 * n) % states.length]!;
    const crashed = disk.crash(length, keep);
    await checkAftermath(crashed, scenario, keep === isKept[0] ? kill : cut, false);
  }
  disk.nextProcess();
  await checkAftermath(disk, scenario, end.kill, run % 4 === 0);
}
