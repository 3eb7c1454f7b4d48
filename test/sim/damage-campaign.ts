/**
 * Damage at rest, done to stores of damage-sample.ts and held against what may come of it
 * (damage-verdict.ts): by reading, some by openStore, verify and repair. The short form takes small
 * stores and every bit of their structures; the exhaustive one every bit, every length, and one
 * bit of every byte through openStore, of stores of 256 KiB.
 */
import { basename } from 'node:path';
import { badRequest } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { nodeThread } from '../../src/base/thread.ts';
import { DiskImage } from '../../src/testing/sim-image.ts';
import type { CampaignResult, Violation } from './campaign.ts';
import { open } from './damage-open.ts';
import { damaged } from './damage-ops.ts';
import { plans, structure } from './damage-plans.ts';
import { checkRepair } from './damage-repair.ts';
import { makeSample, SAMPLES, type Relative, type Sample } from './damage-sample.ts';
import { type Asked, extentOf, judge, read } from './damage-verdict.ts';
import { DIRECTORY, FrozenIo } from './frozen-io.ts';
import { describe } from './log-recovery.ts';

export interface DamageCampaignOptions {
  readonly seed: number;
  /** Places are shared out: this job takes every `stride`-th, from `share` on. */
  readonly stride?: number | undefined;
  readonly share?: number | undefined;
  readonly isExhaustive?: boolean | undefined;
  /** Ends when so many damages were done. */
  readonly states?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly onProgress?: ((result: CampaignResult) => boolean) | undefined;
}

const ENOUGH = 20;
/** Of so many damages one goes through openStore, and of the CORRUPT ones one is repaired. */
const OPEN_EVERY = 23;
const REPAIR_EVERY = 29;
const PROGRESS_EVERY = 500;

export async function runDamageCampaign(options: DamageCampaignOptions): Promise<CampaignResult> {
  const campaign = new DamageCampaign(options);
  const { isExhaustive = false, seed, stride = 1, share = 0 } = options;
  if (isExhaustive) {
    for (const name of ['closed', 'whole'] as const)
      if (!campaign.isOver) await campaign.exhaust(await makeSample(name, seed, true));
    for (const name of SAMPLES)
      if (!campaign.isOver) await campaign.damage(await relatives(name, seed, true), share, stride);
    return campaign.result();
  }
  // Small stores are made anew for each round; a round belongs to one job.
  for (let round = share; !campaign.isOver; round += stride) {
    for (const name of SAMPLES) {
      if (campaign.isOver) break;
      const family = await relatives(name, (seed + round) >>> 0, false);
      await campaign.flipStructures(family.self);
      await campaign.damage(family, 0, 1);
    }
    if (options.states === undefined && options.untilMs === undefined) break;
  }
  return campaign.result();
}

type Family = Readonly<Record<Relative, Sample>>;

async function relatives(name: Sample['name'], seed: number, isLarge: boolean): Promise<Family> {
  const of = (relative: Relative): Promise<Sample> => makeSample(name, seed, isLarge, relative);
  return { self: await of('self'), twin: await of('twin'), fork: await of('fork') };
}

class DamageCampaign {
  private readonly options: DamageCampaignOptions;
  private readonly violations: Violation[] = [];
  private readonly startedAt = nodeThread.monotonicMs();
  private samples = 0;
  private damages = 0;
  private opened = 0;
  private states = 0;
  private isStopped = false;

  constructor(options: DamageCampaignOptions) {
    this.options = options;
  }

  get isOver(): boolean {
    const { states = Number.POSITIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = this.options;
    const durationMs = nodeThread.monotonicMs() - this.startedAt;
    if (this.isStopped || this.violations.length >= ENOUGH) return true;
    return this.damages >= states || durationMs > untilMs;
  }

  result(): CampaignResult {
    const { samples: runs, damages, states, violations } = this;
    const durationMs = nodeThread.monotonicMs() - this.startedAt;
    // Each damage is another one; what is read, opened and repaired of it are states.
    const rest = { distinct: damages, faults: 0, damages, commands: this.opened };
    return { runs, states, ...rest, durationMs, violations };
  }

  private violate(sample: Sample, ops: string, error: unknown): void {
    const size = sample.isLarge ? 'large' : 'small';
    const token = `damage/${sample.name}-${size}/${sample.seed}/${ops}`;
    if (this.violations.length < ENOUGH) this.violations.push({ token, message: describe(error) });
  }

  /** Lets the event loop turn now and then, and is told when to end. */
  private async breathe(): Promise<void> {
    if (++this.damages % PROGRESS_EVERY !== 0) return;
    await new Promise<void>((resolve) => nodeThread.nextTurn(resolve));
    if (this.options.onProgress?.(this.result()) === false) this.isStopped = true;
  }

  /** All bits of the structures of a small store, and one of other bytes that are used. */
  async flipStructures(sample: Sample): Promise<void> {
    this.samples++;
    const step = sample.name === 'closed' ? 1 : 4;
    await this.flip(sample, (path, at) => {
      const used = sample.used.get(path) ?? 8192;
      if (structure(sample, path, at)) return 255;
      const isTaken = at < used ? at % step === 0 : at % 61 === 0;
      return isTaken ? 1 << (at & 7) : 0;
    });
  }

  async exhaust(sample: Sample): Promise<void> {
    this.samples++;
    const { stride = 1, share = 0 } = this.options;
    await this.flip(sample, (_, at) => (at % stride === share ? 255 : 0));
    for (const [path, bytes] of sample.files)
      for (let length = share; length < bytes.length && !this.isOver; length += stride)
        await this.judged(
          sample,
          `cut:${basename(path)}:${length}`,
          new Map(sample.files).set(path, bytes.subarray(0, length)),
        );
    const image = DiskImage.of(sample.files, ['/', DIRECTORY]);
    for (const [path, bytes] of sample.files)
      for (let at = share; at < bytes.length && !this.isOver; at += stride)
        await this.openFlipped(sample, image, path, at);
  }

  /** `bitsOf`: which bits of a byte are flipped, one after the other. In place, on one copy: this is done millions of times. */
  private async flip(sample: Sample, bitsOf: (path: string, at: number) => number): Promise<void> {
    const files = new Map(sample.files);
    const io = new FrozenIo(files);
    for (const [path, before] of sample.files) {
      const bytes = before.slice();
      files.set(path, bytes);
      const counts = sample.used.get(path) ?? 0;
      for (let at = 0; at < bytes.length && !this.isOver; at++) {
        const bits = bitsOf(path, at);
        for (let bit = 0; bits >> bit !== 0; bit++) {
          if (((bits >> bit) & 1) === 0) continue;
          const ops = `flip:${basename(path)}:${at}:${bit}`;
          bytes[at] = (before[at] as number) ^ (1 << bit);
          if (sample.isClosed) await this.mustBe(sample, ops, io, at < counts);
          else await this.judged(sample, ops, files);
          await this.breathe();
        }
        bytes[at] = before[at] as number;
      }
      files.set(path, before);
    }
  }

  /** The quick way for one flipped bit of a closed store: found where it counts, and harmless elsewhere. */
  private async mustBe(sample: Sample, ops: string, io: FrozenIo, isFound: boolean): Promise<void> {
    this.states++;
    try {
      const verdict = await read(io, sample.sums);
      const isHarmless = verdict.kind === 'found' && verdict.records === sample.lastOffset;
      if (isFound ? verdict.kind === 'corrupt' : isHarmless) return;
      throw new Error(`${isFound ? 'not found' : 'not harmless'}: ${JSON.stringify(verdict)}`);
    } catch (error) {
      this.violate(sample, ops, error);
    }
  }

  private async openFlipped(
    sample: Sample,
    image: DiskImage,
    path: string,
    at: number,
  ): Promise<void> {
    const ops = `flip:${basename(path)}:${at}:${at & 7}`;
    const copy = image.copy();
    const byte = (sample.files.get(path)?.[at] ?? 0) ^ (1 << (at & 7));
    copy.content(copy.names.get(path) as number).write(Uint8Array.of(byte), at);
    this.opened++;
    this.states++;
    try {
      const verdict = await open(sample, copy);
      const mustBeFound = at < (sample.used.get(path) ?? 0);
      if ((verdict.kind === 'corrupt') !== mustBeFound)
        throw new Error(`openStore: ${JSON.stringify(verdict)}`);
    } catch (error) {
      this.violate(sample, ops, error);
    }
    await this.breathe();
  }

  /** All other damage. */
  async damage(family: Family, share: number, stride: number): Promise<void> {
    const sample = family.self;
    const { seed, isLarge } = sample;
    let index = 0;
    for (const ops of plans(sample, seed, !isLarge)) {
      if (this.isOver) return;
      if (index++ % stride !== share) continue;
      await this.judged(
        sample,
        ops,
        damaged(sample.files, ops, (of) => family[of].files),
      );
      await this.breathe();
    }
  }

  private async judged(
    sample: Sample,
    ops: string,
    files: ReadonlyMap<string, Uint8Array>,
  ): Promise<void> {
    try {
      const isOpened = this.damages % OPEN_EVERY === 0;
      const isRepaired = this.damages % REPAIR_EVERY === 0;
      this.states += await judgeDamage(sample, ops, files, isOpened, isRepaired);
    } catch (error) {
      this.violate(sample, ops, error);
    }
  }
}

function asked(ops: string): Asked {
  const isSingle = /^(?:flip|zero|ones|noise):[^+]*$/.test(ops);
  const isOneBit = /^flip:[^+]*$/.test(ops);
  const isOfNames = /(?:^|\+)(?:again|named|swap|file|gone|grow|cut):/.test(ops);
  return { isSingle, mayRefuse: isOfNames || (!isOneBit && ops.includes('manifest')) };
}

/** Reads, and when asked opens and repairs. Gives how many states that were; throws for a violation. */
async function judgeDamage(
  sample: Sample,
  ops: string,
  files: ReadonlyMap<string, Uint8Array>,
  isOpened: boolean,
  isRepaired: boolean,
): Promise<number> {
  const io = new FrozenIo(files);
  const plain = await read(io, sample.sums);
  const strictly = plain.kind === 'corrupt' ? plain : await read(io, sample.sums, true);
  const wrong = judge(sample, extentOf(sample, files), asked(ops), plain, strictly);
  if (wrong !== undefined) throw new Error(wrong);
  let states = 1;
  if (isOpened) {
    states++;
    const opened = await open(sample, DiskImage.of(files, ['/', DIRECTORY]));
    if (JSON.stringify(opened) !== JSON.stringify(plain))
      throw new Error(`reading: ${JSON.stringify(plain)}, opening: ${JSON.stringify(opened)}`);
  }
  // A valid frame of another history of this store, or a valid manifest of another store: repair may take either for the right one.
  const isAmbiguous = /:fork:|:twin:manifest:/.test(ops);
  if (isRepaired && plain.kind === 'corrupt' && !isAmbiguous)
    states += 1 + (await checkRepair(sample, files, seededRandom(ops.length)));
  return states;
}

/**
 * Does the damage of a token again: reads, opens and repairs. Gives what is wrong, if anything.
 * @throws {StoreError} BAD_REQUEST - no damage has this token.
 */
export async function replayDamage(token: string): Promise<string | undefined> {
  const parts = /^damage\/([a-z]+)-(small|large)\/(\d{1,10})\/(.+)$/.exec(token);
  const name = SAMPLES.find((one) => one === parts?.[1]);
  if (parts === null || name === undefined)
    throw badRequest(`'${token}' is no token of the damage campaign`, 'token');
  const family = await relatives(name, Number(parts[3]), parts[2] === 'large');
  const ops = parts[4] as string;
  const files = damaged(family.self.files, ops, (of) => family[of].files);
  try {
    await judgeDamage(family.self, ops, files, true, true);
    return undefined;
  } catch (error) {
    return describe(error);
  }
}
