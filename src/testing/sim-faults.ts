/**
 * Calls that fail, on purpose: by count, by kind, by path, by chance. A plan is asked before each
 * call of a simulated disk and says what becomes of it.
 */
import { badRequest } from '../base/errors.ts';
import { osError } from '../base/file-calls.ts';
import { type Random, seededRandom } from '../base/random.ts';

const CALLS = [
  'open',
  'create',
  'read',
  'write',
  'sync',
  'truncate',
  'close',
  'stat',
  'list',
  'mkdir',
  'rename',
  'remove',
  'syncdir',
  'lock',
] as const;

/** Calls of a disk. 'open' is of an existing file; 'sync' of a file, 'syncdir' of a directory. */
export type Call = (typeof CALLS)[number];

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
  /** See Outcome. 0 of a read looks like the end of the file; of a write, like a disk that takes nothing. */
  readonly bytes?: number | undefined;
  /** See Outcome. Of a synced write: its bytes are there to be seen, and not durable. */
  readonly tookEffect?: boolean | undefined;
  /** See Outcome. Without a scheduler there is no time, and nothing waits. */
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

  /** What becomes of a call: SimDisk asks this of its `fault`. */
  decide(call: Call, path: string): Outcome | undefined {
    let first: Counted | undefined;
    // Every rule counts all calls it is about, those another rule decides as well.
    for (const one of this.rules) if (this.applies(one, call, path)) first ??= one;
    if (first === undefined) return undefined;
    first.met++;
    return outcomeOf(first.rule, call, path);
  }

  private applies(one: Counted, call: Call, path: string): boolean {
    if (one.calls?.has(call) === false || !path.includes(one.rule.path ?? '')) return false;
    one.seen++;
    const { nth = 1, times = 1, chance } = one.rule;
    if (chance !== undefined) return this.random.next() < chance;
    return one.seen >= nth && one.seen < nth + times;
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

/** @throws {StoreError} BAD_REQUEST - as the plan of these rules would. */
export function checkFaults(rules: readonly FaultRule[]): void {
  if (!Array.isArray(rules)) throw badRequest('faults must be a list of rules', 'faults');
  for (const [i, rule] of (rules as readonly FaultRule[]).entries()) counted(rule, `faults[${i}]`);
}

const FIELDS: ReadonlySet<string> = new Set<keyof FaultRule>([
  'call',
  'path',
  'nth',
  'times',
  'chance',
  'error',
  'bytes',
  'tookEffect',
  'delayMs',
]);

function counted(rule: FaultRule, path: string): Counted {
  if (typeof rule !== 'object' || rule === null) throw badRequest(`${path} must be a rule`, path);
  for (const name of Object.keys(rule))
    if (!FIELDS.has(name)) throw badRequest(`${path}.${name} is no field`, `${path}.${name}`);
  for (const name of ['path', 'error'] as const)
    if (rule[name] !== undefined && typeof rule[name] !== 'string')
      throw badRequest(`${path}.${name} must be a string`, `${path}.${name}`);
  const { call, nth = 1, times = 1, chance, error, bytes, delayMs, tookEffect } = rule;
  const check = (isGood: boolean, name: string, must: string): void => {
    if (!isGood) throw badRequest(`${path}.${name} must be ${must}`, `${path}.${name}`);
  };
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
  check(isCount(nth), 'nth', 'an integer, counted from 1');
  check(
    isCount(times) || times === Number.POSITIVE_INFINITY,
    'times',
    'an integer from 1, or Infinity',
  );
  check(chance === undefined || (chance >= 0 && chance <= 1), 'chance', 'from 0 to 1');
  check(bytes === undefined || bytes === 0 || isCount(bytes), 'bytes', 'an integer from 0');
  check(delayMs === undefined || (delayMs >= 0 && delayMs < Infinity), 'delayMs', 'from 0');
  check(error === undefined || error !== '', 'error', "the code of a system's error");
  check(tookEffect !== true || error !== undefined, 'tookEffect', 'together with an error');
  if (error === undefined && bytes === undefined && delayMs === undefined)
    throw badRequest(`${path} says what of a call, but not what becomes of it`, path);
  const calls = call === undefined ? undefined : new Set(typeof call === 'string' ? [call] : call);
  const isKnown = calls === undefined || (calls.size > 0 && [...calls].every(isCall));
  check(isKnown, 'call', `of ${CALLS.join(', ')}`);
  return { rule, calls, seen: 0, met: 0 };
}

function isCall(name: string): name is Call {
  return (CALLS as readonly string[]).includes(name);
}

/** The error of a call that was made on a path where nothing is, or should not be. */
export function pathError(code: string, call: Call, path: string): Error {
  return osError(code, `${call} '${path}'`);
}
