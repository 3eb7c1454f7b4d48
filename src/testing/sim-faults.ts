/**
 * Calls that fail, on purpose: by count, by kind, by path, by chance. A plan is asked before each
 * call of a simulated disk and says what becomes of it.
 */
import { badRequest } from '../base/errors.ts';
import { osError } from '../base/file-calls.ts';
import { type Random, seededRandom } from '../base/random.ts';

/** Calls of a disk. 'open' is of an existing file; 'sync' of a file, 'syncdir' of a directory. */
export type Call =
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'close'
  | 'stat'
  | 'list'
  | 'mkdir'
  | 'rename'
  | 'remove'
  | 'syncdir'
  | 'lock';

/** What becomes of a call. */
export interface Outcome {
  /** What it ends with; absent: it succeeds. */
  readonly error?: Error | undefined;
  /** Bytes of a read or write that are moved first: with an error, half a write; without one, a short call. */
  readonly bytes?: number | undefined;
  /** It takes effect, and its error is a lie. */
  readonly tookEffect?: boolean | undefined;
  /** Virtual milliseconds until it is answered, besides those of every call. */
  readonly delayMs?: number | undefined;
}

/** A rule of a plan: which calls, and what becomes of them. */
export interface FaultRule {
  /** Kinds of calls it is about; absent: all. */
  readonly call?: Call | readonly Call[] | undefined;
  /** Part of the path. */
  readonly path?: string | undefined;
  /** Counting from 1 the calls it is about: the first that fails. Default 1. */
  readonly nth?: number | undefined;
  /** How many of them fail from there on. Default 1; Infinity: for ever. */
  readonly times?: number | undefined;
  /** Instead of counting: the chance of each, from 0 to 1. */
  readonly chance?: number | undefined;
  /** Code of the system's error, such as 'EIO'. Absent: the call succeeds, but is short or slow. */
  readonly error?: string | undefined;
  readonly bytes?: number | undefined;
  readonly tookEffect?: boolean | undefined;
  readonly delayMs?: number | undefined;
}

interface Counted {
  readonly rule: FaultRule;
  readonly calls: ReadonlySet<Call> | undefined;
  seen: number;
  met: number;
}

/** The first rule that applies decides. The same seed, rules and calls give the same faults. */
export class FaultPlan {
  private readonly rules: Counted[];
  private readonly random: Random;

  /** @throws {StoreError} BAD_REQUEST - a rule that can never apply, or says nothing. */
  constructor(rules: readonly FaultRule[], seed: number = 1) {
    this.random = seededRandom(seed);
    this.rules = rules.map((rule, i) => counted(rule, `rules[${i}]`));
  }

  /** How often each rule applied, in their order. */
  get met(): number[] {
    return this.rules.map((one) => one.met);
  }

  decide(call: Call, path: string): Outcome | undefined {
    for (const one of this.rules) {
      if (one.calls?.has(call) === false || !path.includes(one.rule.path ?? '')) continue;
      one.seen++;
      const { nth = 1, times = 1, chance } = one.rule;
      const applies =
        chance === undefined
          ? one.seen >= nth && one.seen < nth + times
          : this.random.next() < chance;
      if (!applies) continue;
      one.met++;
      return outcomeOf(one.rule, call, path);
    }
    return undefined;
  }
}

function outcomeOf(rule: FaultRule, call: Call, path: string): Outcome {
  const { error, bytes, tookEffect, delayMs } = rule;
  return {
    error: error === undefined ? undefined : osError(error, `simulated, ${call} '${path}'`),
    bytes,
    tookEffect,
    delayMs,
  };
}

function counted(rule: FaultRule, path: string): Counted {
  const { call, nth = 1, times = 1, chance, error, bytes, delayMs } = rule;
  if (!(nth >= 1)) throw badRequest(`${path}.nth counts from 1`, `${path}.nth`);
  if (!(times >= 1)) throw badRequest(`${path}.times must be 1 or more`, `${path}.times`);
  if (chance !== undefined && !(chance >= 0 && chance <= 1))
    throw badRequest(`${path}.chance must be from 0 to 1`, `${path}.chance`);
  if (error === undefined && bytes === undefined && delayMs === undefined)
    throw badRequest(`${path} says what of a call, but not what becomes of it`, path);
  const calls = call === undefined ? undefined : new Set(typeof call === 'string' ? [call] : call);
  return { rule, calls, seen: 0, met: 0 };
}

/** The error of a call that was made on a path where nothing is, or should not be. */
export function pathError(code: string, call: Call, path: string): Error {
  return osError(code, `${call} '${path}'`);
}
