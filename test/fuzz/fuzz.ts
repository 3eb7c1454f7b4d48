/**
 * The engine of the fuzz tests: feeds a decoder with valid inputs that were damaged, from a seed,
 * and holds every run to what all decoders promise: no run longer than a second, memory by the size
 * of the input, nothing left behind on the built-in prototypes. What else must hold is the target's
 * to say; it throws when it does not.
 *
 * Inputs whose outcome was not met before become seeds of further ones. `PAWL_FUZZ_RUNS` sets the
 * runs of each target, `PAWL_FUZZ_SEED` the seed. A failure names both and carries its input as
 * base64: kept in corpus.ts, it is run first ever after.
 */
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { isStoreError, type ErrorCode } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { KEPT_INPUTS } from './corpus.ts';
import { type Choose, type Mutation, mutateBytes, one } from './mutate.ts';

export interface Target {
  /** Inputs that failed are kept in corpus.ts under this name. */
  readonly name: string;
  /** Runs of the short form; 0: the seeds are all there is, in every form. */
  readonly runs: number;
  /** Valid inputs, to be damaged. */
  readonly seeds: readonly Uint8Array[];
  /** Feeds the decoder and throws when it does not do what it must; says in a few words what happened. */
  readonly run: (input: Uint8Array) => string | Promise<string>;
  /** Default: damage to bytes that knows nothing of them. */
  readonly mutate?: Mutation;
  /** Longer inputs are cut. Default 8 KiB. */
  readonly maxBytes?: number;
  /** What one run may allocate besides a thousand times its input. Default 24 MiB. */
  readonly spareBytes?: number;
}

export interface FuzzReport {
  readonly runs: number;
  readonly perSecond: number;
  /** How often each outcome was met. */
  readonly outcomes: ReadonlyMap<string, number>;
}

const SLOW_MS = 1000;
const MIB = 1_048_576;
const BYTES_FOR_A_BYTE = 1000;
/** What may be left after all runs of a target, beyond what was there before: the kept seeds, and the engine's own. */
const LEFT_BYTES: number = 48 * MIB;
const MAX_SEEDS = 400;
/** Longest time the short form of one target may take on a slow machine; the long form has none. */
const SHORT_TIMEOUT_MS = 240_000;

const runsAsked = Number(process.env['PAWL_FUZZ_RUNS'] ?? 0);
const seed = Number(process.env['PAWL_FUZZ_SEED'] ?? 1);

/** For the test around a target. */
export const FUZZ_TIMEOUT_MS: number = runsAsked > 0 ? 24 * 3_600_000 : SHORT_TIMEOUT_MS;

export function runsOf(short: number): number {
  return runsAsked > 0 && short > 0 ? runsAsked : short;
}

/** Choices that depend on the seed and this name alone. */
function choicesOf(name: string): Choose {
  let mixed = seed;
  for (const character of name)
    mixed = Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193);
  const random = seededRandom(mixed);
  return (below) => Math.floor(random.next() * below);
}

/** @throws {Error} a run broke a promise; the message says how to see it again */
export async function checkFuzzed(target: Target): Promise<FuzzReport> {
  const { name, mutate = mutateBytes, maxBytes = 8192 } = target;
  const choose = choicesOf(name);
  const runs = runsOf(target.runs);
  const seeds = [...target.seeds];
  const outcomes = new Map<string, number>();
  const prototypes = prototypesNow();
  const before = await bytesLeft();
  const startedAt = performance.now();
  const attempt = async (input: Uint8Array, which: string): Promise<void> => {
    let outcome: string;
    try {
      outcome = await watched(target, input);
      checkPrototypes(prototypes);
    } catch (cause) {
      throw new Error(failureText(name, which, input, cause), { cause });
    }
    const met = outcomes.get(outcome) ?? 0;
    outcomes.set(outcome, met + 1);
    if (met === 0 && seeds.length < MAX_SEEDS) seeds.push(input);
  };
  for (const [i, kept] of (KEPT_INPUTS[name] ?? []).entries())
    await attempt(fromKeptForm(kept), `kept input ${i}`);
  for (const [i, valid] of target.seeds.entries()) await attempt(valid, `valid input ${i}`);
  for (let run = 1; run <= runs; run++) {
    const input = mutate(choose, one(choose, seeds), one(choose, seeds));
    const cut = input.length > maxBytes ? input.slice(0, maxBytes) : input;
    await attempt(cut, `run ${run} of seed ${seed}`);
  }
  const elapsed = performance.now() - startedAt;
  const left = (await bytesLeft()) - before;
  if (left > LEFT_BYTES) throw new Error(`fuzz target '${name}' left ${left} bytes behind`);
  const report = { runs, perSecond: Math.round((runs / elapsed) * 1000), outcomes };
  if (runsAsked > 0) tell(name, report);
  return report;
}

/** One run under the clock and the scale. What exceeds either is believed only when it does so again. */
async function watched(target: Target, input: Uint8Array): Promise<string> {
  const first = await measured(target, input);
  const isLarge = first.bytes > (target.spareBytes ?? 24 * MIB) + BYTES_FOR_A_BYTE * input.length;
  if (first.ms <= SLOW_MS && !isLarge) return first.outcome;
  const again = await measured(target, input);
  // A machine with much to do makes everybody wait: what counts is what was computed.
  if (Math.min(first.ms, again.ms, again.cpuMs) > SLOW_MS)
    throw new Error(`it took ${Math.round(first.ms)} and ${Math.round(again.ms)} ms`);
  const least = Math.min(first.bytes, again.bytes);
  if (isLarge && least > (target.spareBytes ?? 24 * MIB) + BYTES_FOR_A_BYTE * input.length)
    throw new Error(`it took ${least} bytes of memory for ${input.length} of input`);
  return again.outcome;
}

async function measured(
  target: Target,
  input: Uint8Array,
): Promise<{ outcome: string; ms: number; cpuMs: number; bytes: number }> {
  const bytesBefore = bytesHeld();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const running = target.run(input);
  const outcome = typeof running === 'string' ? running : await running;
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { outcome, ms, cpuMs: (user + system) / 1000, bytes: bytesHeld() - bytesBefore };
}

/** On the heap and beside it; garbage counts until it is collected. */
function bytesHeld(): number {
  const { used_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
  return heap + external;
}

/** The same without garbage, once what was put off is done. */
async function bytesLeft(): Promise<number> {
  v8.setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    collect();
  }
  return bytesHeld();
}

const WATCHED: readonly object[] = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  Map.prototype,
  String.prototype,
];

function prototypesNow(): readonly number[] {
  return WATCHED.map((prototype) => Reflect.ownKeys(prototype).length);
}

function checkPrototypes(before: readonly number[]): void {
  for (const [i, prototype] of WATCHED.entries()) {
    if (Reflect.ownKeys(prototype).length !== before[i])
      throw new Error(`a built-in prototype was changed: ${Reflect.ownKeys(prototype).join(', ')}`);
  }
}

/** Base64; of long inputs, which are mostly zeros, compressed and marked. */
function keptForm(input: Uint8Array): string {
  if (input.length < 1024) return Buffer.from(input).toString('base64');
  return `z:${deflateRawSync(input).toString('base64')}`;
}

function fromKeptForm(kept: string): Uint8Array {
  if (!kept.startsWith('z:')) return new Uint8Array(Buffer.from(kept, 'base64'));
  return new Uint8Array(inflateRawSync(Buffer.from(kept.slice(2), 'base64')));
}

function failureText(name: string, which: string, input: Uint8Array, cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  const base64 = keptForm(input);
  return `fuzz target '${name}' failed at ${which}: ${why}\ninput of ${input.length} bytes, for corpus.ts: ${base64}`;
}

function tell(name: string, { runs, perSecond, outcomes }: FuzzReport): void {
  const most = [...outcomes].sort(([, a], [, b]) => b - a).slice(0, 8);
  const shown = most.map(([outcome, count]) => `${outcome} ${count}`).join(', ');
  console.log(`${name}: ${runs} runs, ${perSecond} a second; ${outcomes.size} outcomes: ${shown}`);
}

/** The outcome of a refusal: its kind and its words without numbers and quotations, so that like ones count as one. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const kind = isStoreError(error) ? error.code : error.name;
  return `${kind} ${error.message.replace(/"[^"]*"|'[^']*'|[0-9]+/g, '*').slice(0, 60)}`;
}

/** Runs out of stack and memory are RangeErrors too, and never an answer. */
export function isPlainRangeError(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    !/call stack|array length|string length|allocation/i.test(error.message)
  );
}

/** The error of a decoder, which must be one of those allowed: the codes given, and RangeError where the contract says so. */
export function allowed(
  error: unknown,
  codes: readonly ErrorCode[],
  mayBeRange: boolean = false,
): string {
  if (isStoreError(error) && codes.includes(error.code)) return wordsOf(error);
  if (mayBeRange && isPlainRangeError(error)) return wordsOf(error);
  throw error;
}

/** Reads an input as the choices of a generator: 0 when it is used up. */
export class Tape {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  readonly choose: Choose = (below) => {
    const low = this.bytes[this.at++] ?? 0;
    if (below <= 256) return low % below;
    return (low + 256 * (this.bytes[this.at++] ?? 0)) % below;
  };
}
