/**
 * The states a crash may leave of a recorded run, one after the other: at each point of the
 * journal the death of the process, before and inside the call that was under way, and power cuts
 * that keep some of the effects in doubt, torn or whole. Few effects are tried in every
 * combination, many by samples. Each state has a name by which it can be made again.
 *
 * Orders need no trying: effects on different places commute, and of two on the same place the
 * running system holds the later one, so whatever order a disk chose, the outcome is a subset.
 */
import type { CrashWalk } from './crash-walk.ts';
import { badRequest } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { SimDisk, type SimDiskOptions } from './sim-disk.ts';
import type { Entry, Survival, TornWrite } from './sim-journal.ts';

/** One disk a crash may leave. */
export interface CrashState {
  /** Entries of the journal that came before the crash. */
  readonly point: number;
  /** The process died and the system lived on, or the power was cut. */
  readonly kind: 'kill' | 'cut';
  /** With the point, names this state: see crashAt(). */
  readonly choice: string;
  /** The disk the next process finds. */
  readonly disk: SimDisk;
}

/** Up to so many effects in doubt are tried in all combinations. */
const EXHAUSTIVE = 4;
/** Of more than that, so many random combinations. */
const SAMPLES = 6;
/** How often each of the last two writes in doubt is torn. */
const TEARS = 2;
const SECTOR_BYTES = [512, 4096] as const;
/** Most writes have few sectors: one of so many, from the first, is lost or kept alone. */
const SECTORS_SINGLED_OUT = 6;

/** All states worth trying at one point; `walk` stands there. */
export function choicesAt(walk: CrashWalk, journal: readonly Entry[], random: Random): string[] {
  const { undecided } = walk;
  const count = undecided.length;
  const choices = new Set<string>(['kill']);
  const last = journal[walk.length - 1];
  if (last?.kind === 'write') choices.add(`kill~${tear(random)}`);
  for (const kept of subsets(count, random)) choices.add(kept);
  const writes = undecided.flatMap((index, i) => (journal[index]?.kind === 'write' ? [i] : []));
  for (const torn of writes.slice(-2)) {
    const others = (): string[] =>
      Array.from({ length: count }, (_, i) => (i < torn || random.next() < 0.5 ? 'w' : 'n'));
    for (let n = 0; n < TEARS; n++) choices.add(cutOf(others().with(torn, tear(random))));
    choices.add(cutOf(others().with(torn, 'l')));
  }
  return [...choices];
}

function* subsets(count: number, random: Random): Generator<string> {
  const pick = (keeps: (i: number) => boolean): string =>
    cutOf(Array.from({ length: count }, (_, i) => (keeps(i) ? 'w' : 'n')));
  if (count <= EXHAUSTIVE) {
    for (let set = 0; set < 2 ** count; set++) yield pick((i) => ((set >> i) & 1) === 1);
    return;
  }
  yield pick(() => false);
  yield pick(() => true);
  for (let one = 0; one < count; one++) {
    yield pick((i) => i !== one);
    yield pick((i) => i === one);
    yield pick((i) => i <= one);
  }
  for (let n = 0; n < SAMPLES; n++) yield pick(() => random.next() < 0.5);
}

function cutOf(survivals: readonly string[]): string {
  return `cut:${survivals.join('.')}`;
}

/** Any sectors; all but one, which a check may miss; one alone; the first ones; all but those. */
function tear(random: Random): string {
  const sectorBytes = SECTOR_BYTES[Math.floor(random.next() * SECTOR_BYTES.length)] as number;
  const one = Math.floor(random.next() * SECTORS_SINGLED_OUT);
  const masks = [random.next() * 2 ** 32, ~(1 << one), 1 << one, (2 << one) - 1, -2 << one];
  const mask = masks[Math.floor(random.next() * masks.length)] as number;
  const length = random.next() < 0.25 ? 'l' : '';
  return `t${sectorBytes}x${(mask >>> 0).toString(16)}${length}`;
}

const SURVIVAL: Readonly<Record<string, Survival>> = { w: 'whole', n: 'none', l: 'length' };

/** @throws {StoreError} BAD_REQUEST - not the name of a survival. */
function survivalOf(name: string): Survival {
  const named = Object.hasOwn(SURVIVAL, name) ? SURVIVAL[name] : undefined;
  if (named !== undefined) return named;
  const torn = /^t([1-9]\d{0,8})x([0-9a-f]{1,8})(l?)$/.exec(name);
  if (torn === null) throw badRequest(`'${name}' names no survival of an effect`, 'choice');
  const sectors = Number.parseInt(torn[2] as string, 16);
  return { sectorBytes: Number(torn[1]), sectors, ...(torn[3] === 'l' && { isLengthKept: true }) };
}

/**
 * The state with this name, where the walk stands.
 * @throws {StoreError} BAD_REQUEST - there is no such state here.
 */
export function crashAt(
  walk: CrashWalk,
  journal: readonly Entry[],
  choice: string,
  options: SimDiskOptions = {},
): CrashState {
  const point = walk.length;
  const unknown = (): Error =>
    badRequest(`there is no crash '${choice}' behind entry ${point}`, 'choice');
  if (choice === 'kill' || choice.startsWith('kill~')) {
    const left = walk.killed();
    const last = journal[point - 1];
    const torn = choice === 'kill' ? undefined : survivalOf(choice.slice('kill~'.length));
    if (torn !== undefined) {
      // The call moved some of its bytes to the cache before the process died.
      if (last?.kind !== 'write' || typeof torn === 'string') throw unknown();
      const bytes = last.bytes.subarray(0, insideOf(last.bytes.length, torn));
      left.journal[left.journal.lastIndexOf(last)] = { ...last, bytes };
    }
    return { point, kind: 'kill', choice, disk: SimDisk.resumed(left, options) };
  }
  const { undecided } = walk;
  const names = choice === 'cut:' ? [] : choice.replace(/^cut:/, '').split('.');
  if (!choice.startsWith('cut:') || names.length !== undecided.length) throw unknown();
  const survivals = new Map(undecided.map((index, i) => [index, survivalOf(names[i] as string)]));
  const image = walk.cut((index) => survivals.get(index) as Survival);
  return { point, kind: 'cut', choice, disk: new SimDisk(image, options) };
}

/** Where a write that was under way stops: behind some of its pages or sectors, or half way when it has one only. */
function insideOf(length: number, { sectorBytes, sectors }: TornWrite): number {
  const whole = Math.ceil(length / sectorBytes) - 1;
  return whole > 0 ? (1 + (sectors % whole)) * sectorBytes : length >> 1;
}
