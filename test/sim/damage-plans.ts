/**
 * Which damage is done to a sample: the structures of its files, ranges of all sizes, files in
 * wrong places, blocks from elsewhere, two places at once. As text for damage-ops.ts; bits are
 * flipped by the campaign itself.
 */
import { basename } from 'node:path';
import { type Random, seededRandom } from '../../src/base/random.ts';
import type { FramePlace, Sample } from './damage-sample.ts';

const RANGES = [1, 2, 3, 8, 15, 16, 48, 64, 100, 511, 512, 513, 1000, 4096, 20_000];
const FILLS = ['zero', 'ones', 'noise'] as const;
const RELATIVES = ['self', 'twin', 'fork'] as const;

class Planner {
  readonly sample: Sample;
  readonly random: Random;
  readonly names: readonly string[];
  readonly segments: readonly string[];

  constructor(sample: Sample, seed: number) {
    this.sample = sample;
    this.random = seededRandom(seed ^ 0x0da3a6e);
    this.names = [...sample.files.keys()].map((path) => basename(path)).sort();
    this.segments = sample.segments.map((path) => basename(path));
  }

  below(count: number): number {
    return Math.floor(this.random.next() * count);
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
  lengthOf(name: string): number {
    return this.sample.files.get(`/db/${name}`)?.length ?? 0;
  }
  /** Mostly where something is. */
  place(name: string): number {
    const used = this.sample.used.get(`/db/${name}`) ?? this.lengthOf(name);
    return this.below(this.random.next() < 0.8 ? used : this.lengthOf(name));
  }
  flip(name: string = this.pick(this.names)): string {
    return `flip:${name}:${this.place(name)}:${this.below(8)}`;
  }
  range(bytes: number): string {
    const name = this.pick(this.segments);
    const from = this.place(name);
    const to = Math.min(this.lengthOf(name), from + bytes);
    return `${this.pick(FILLS)}:${name}:${from}:${to}:${this.below(2 ** 31)}`;
  }
}

/** Damage to files as wholes. */
function* ofFiles(plan: Planner): Generator<string> {
  const { names, segments } = plan;
  for (const name of names) {
    yield `gone:${name}`;
    yield `grow:${name}:4096`;
    yield `cut:${name}:0`;
    for (let i = 0; i < 12; i++) yield `cut:${name}:${plan.below(plan.lengthOf(name))}`;
    yield `again:${name}:notes.txt`;
    yield `stray:${name}.bak`;
  }
  for (const name of segments) {
    for (const other of names) if (other !== name) yield `swap:${name}:${other}`;
    for (const number of [9, 10, 99]) {
      const as = `${String(number).padStart(8, '0')}.wal`;
      yield `again:${name}:${as}`;
      yield `named:${name}:${as}`;
    }
    yield `again:${name}:${name}.new`;
  }
  // The only segment of a fork is a whole history: nothing could tell it from the right one.
  for (const relative of segments.length > 1 ? ['twin', 'fork'] : ['twin'])
    for (const name of names.filter((one) => one === 'manifest' || segments.includes(one)))
      yield `file:${relative}:${name}:${name}`;
  yield 'stray:lock-1+stray:1.wal+stray:damaged-x';
}

/** Blocks that came from, or went to, somewhere else: whole frames, and sectors. */
function* ofBlocks(plan: Planner, isShort: boolean): Generator<string> {
  const { frames } = plan.sample;
  const block = (
    relative: string,
    from: FramePlace,
    length: number,
    to: string,
    at: number,
  ): string =>
    `block:${relative}:${basename(from.path)}:${from.at}:${length}:${basename(to)}:${at}`;
  for (const frame of frames) {
    const length = frame.end - frame.at;
    yield block('twin', frame, length, frame.path, frame.at);
    yield block('fork', frame, length, frame.path, frame.at);
    // To the place of others, in this segment and in others.
    for (let i = 0; i < (isShort ? 2 : 8); i++) {
      const other = plan.pick(frames);
      yield block('self', frame, length, other.path, other.at);
    }
  }
  // The beginning of one segment at the beginning of another, which may be one that was only prepared.
  for (const frame of frames.filter((_, i) => i % 3 === 0 || i > frames.length - 6))
    for (const name of plan.names.filter((one) => one.endsWith('.wal')))
      yield `block:self:${basename(frame.path)}:64:${frame.end - 64}:${name}:64`;
  for (const frame of frames.slice(-2)) {
    const end = plan.sample.used.get(frame.path) as number;
    for (let i = 0; i < 6; i++) yield block('self', plan.pick(frames), 1 << 16, frame.path, end);
  }
  for (let i = 0; i < (isShort ? 60 : 2000); i++) {
    const [from, to] = [plan.pick(plan.segments), plan.pick(plan.segments)];
    const sector = plan.random.next() < 0.7 ? 512 : 4096;
    const at = (name: string): number => Math.floor(plan.place(name) / sector) * sector;
    yield `block:${plan.pick(RELATIVES)}:${from}:${at(from)}:${sector}:${to}:${at(to)}`;
  }
  for (const relative of RELATIVES)
    for (const [from, to] of [
      [0, 4096],
      [4096, 0],
      [0, 0],
      [4096, 4096],
    ])
      yield `block:${relative}:manifest:${from}:4096:manifest:${to}`;
}

/** Damage besides that of single bits. */
export function* plans(sample: Sample, seed: number, isShort: boolean): Generator<string> {
  const plan = new Planner(sample, seed);
  yield* ofFiles(plan);
  yield* ofBlocks(plan, isShort);
  const rounds = isShort ? 3 : 200;
  for (let i = 0; i < rounds; i++) for (const bytes of RANGES) yield plan.range(bytes);
  for (let i = 0; i < (isShort ? 150 : 20_000); i++) {
    const first = plan.flip();
    // Close together, or anywhere.
    const [, name = '', at = ''] = first.split(':');
    const near = Math.min(plan.lengthOf(name) - 1, Number(at) + plan.below(40));
    yield `${first}+${plan.random.next() < 0.5 ? plan.flip() : `flip:${name}:${near}:${plan.below(8)}`}`;
  }
  for (let i = 0; i < (isShort ? 12 : 400); i++) {
    const [one, other] = [plan.below(4096), 4096 + plan.below(4096)];
    yield `flip:manifest:${one}:${plan.below(8)}+flip:manifest:${other}:${plan.below(8)}`;
  }
}

/** Bytes of which every bit is worth flipping: heads of files, headers of frames, links, marks. */
export function structure(sample: Sample, path: string, at: number): boolean {
  if (path.endsWith('manifest')) return at % 4096 < 72;
  if (!sample.used.has(path)) return at < 64;
  if (at < 128) return true;
  return sample.frames.some(
    (frame) => frame.path === path && at >= frame.at && at < frame.at + 48 && isEdge(sample, frame),
  );
}

/** The first and the last frames of a segment, and all that hold no records. */
function isEdge(sample: Sample, frame: FramePlace): boolean {
  const inside = sample.frames.filter((one) => one.path === frame.path);
  return (
    frame.kind !== 1 || inside.indexOf(frame) < 2 || inside.indexOf(frame) >= inside.length - 2
  );
}
