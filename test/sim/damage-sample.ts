/**
 * Stores to be damaged, made by openStore on a simulated machine: closed, left by a kill or by a
 * power cut; large and small; and their relatives, of which a misdirected write could bring a
 * block: the twin (the same commits in another store) and the fork (the same store, which went on
 * in another way). Everything follows from name and seed.
 */
import { crc32c } from '../../src/base/crc32c.ts';
import { seededRandom } from '../../src/base/random.ts';
import { openStore, type Store } from '../../src/index.ts';
import { DiskImage, type Files } from '../../src/testing/sim-image.ts';
import { Simulation } from '../../src/testing/simulation.ts';
import { FRAME, FRAME_KIND, FRAME_MAGIC, SEGMENT_HEADER } from '../../wal/format.ts';
import { paddedLength, readU64 } from '../../wal/frame.ts';
import { scanLog } from '../../wal/scan.ts';
import { DIRECTORY, FrozenIo } from './frozen-io.ts';

/** What damage is done to; 'whole' fills one large segment, all others have several. */
export const SAMPLES = ['closed', 'marked', 'killed', 'cut', 'reopened', 'whole'] as const;
export type SampleName = (typeof SAMPLES)[number];
export type Relative = 'self' | 'twin' | 'fork';

export interface FramePlace {
  readonly path: string;
  readonly at: number;
  readonly end: number;
  readonly kind: number;
  /** Records up to this one are in it or before it. */
  readonly lastOffset: number;
  readonly attestedPath: string;
  readonly attestedBytes: number;
}

export interface Sample {
  readonly name: SampleName;
  readonly seed: number;
  readonly isLarge: boolean;
  readonly isClosed: boolean;
  readonly files: Files;
  /** The log's segments in its order. */
  readonly segments: readonly string[];
  /** Where the last frame that counts ends, by segment. */
  readonly used: ReadonlyMap<string, number>;
  readonly frames: readonly FramePlace[];
  readonly lastOffset: number;
  /** Checksum of all payloads up to the end of a frame, by its last record. */
  readonly sums: ReadonlyMap<number, number>;
  /** Contexts by id, as JSON. */
  readonly instances: ReadonlyMap<string, string>;
}

const KIB = 1024;
/** Of a large sample: 256 KiB of segments. */
const LARGE = { several: 64 * KIB, whole: 256 * KIB, commits: 330 };
const SMALL = { several: 4096, whole: 16 * KIB, commits: 26 };
const ITEM = {
  name: 'item',
  version: 1,
  states: ['here', 'gone'],
  initial: 'here',
  transitions: [{ from: 'here', event: 'LEAVE', to: 'gone' }],
};

export async function makeSample(
  name: SampleName,
  seed: number,
  isLarge: boolean,
  relative: Relative = 'self',
): Promise<Sample> {
  const sim = new Simulation({ seed, disk: DiskImage.of(new Map(), ['/']) });
  const random = seededRandom(relative === 'twin' ? seed + 1_000_003 : seed);
  const sizes = isLarge ? LARGE : SMALL;
  const segmentBytes = name === 'whole' ? sizes.whole : sizes.several;
  const options = { ...sim.ports, random, segmentBytes };
  let store = await openStore(DIRECTORY, options);
  const made = new Maker(seed, isLarge, relative);
  await store.machines.put(ITEM);
  const isReopened = name === 'reopened';
  const end = name === 'whole' ? sizes.whole : 4 * sizes.several;
  await made.fill(store, isReopened ? sizes.commits >> 1 : sizes.commits, end);
  if (isReopened) {
    await store.close();
    store = await openStore(DIRECTORY, options);
    await made.fill(store, sizes.commits >> 2, end);
  }
  await made.last(store);
  const isClosed = name === 'closed' || name === 'whole' || isReopened;
  if (isClosed) await store.close();
  if (name === 'marked')
    await new Promise<void>((resolve) => void sim.scheduler.after(60, resolve));
  sim.stop();
  const files = name === 'cut' ? torn(sim) : sim.disk.files();
  return describeSample({ name, seed, isLarge, isClosed, files }, made.instances);
}

/** The power fails while the last frame is written. */
function torn(sim: Simulation): Files {
  const { disk } = sim;
  const last = disk.journal.findLastIndex(
    (entry) => entry.kind === 'write' && entry.bytes.length > 48,
  );
  return disk.crash(last + 1, (index) => (index === last ? 'torn' : true)).files();
}

class Maker {
  readonly instances = new Map<string, string>();
  private readonly random;
  private readonly isLarge: boolean;
  private readonly relative: Relative;
  private count = 0;

  constructor(seed: number, isLarge: boolean, relative: Relative) {
    this.random = seededRandom(seed ^ 0x5a17);
    this.isLarge = isLarge;
    this.relative = relative;
  }

  /** So many commits, or as many as so many bytes of segments take. */
  async fill(store: Store, commits: number, end: number): Promise<void> {
    const isFull = (): boolean => {
      const { bytesUsed } = store.stats()['log'] as { bytesUsed: number };
      return bytesUsed > end - (this.isLarge ? 5 * KIB : 2000);
    };
    for (let i = 0; i < commits && !isFull(); i++) {
      // The fork goes other ways half way through, in commits of the same length.
      const isOther = this.relative === 'fork' && this.count > 8 && this.count % 5 === 0;
      const together = this.random.next() < 0.2 ? 2 : 1;
      await Promise.all(Array.from({ length: together }, () => this.add(store, isOther)));
    }
  }

  /** The last commit of the twin is another one. */
  async last(store: Store): Promise<void> {
    await this.add(store, this.relative === 'twin');
  }

  private async add(store: Store, isOther: boolean): Promise<void> {
    const id = `item-${this.count++}`;
    const length = 20 + Math.floor(this.random.next() * (this.isLarge ? 1200 : 700));
    const letters = seededRandom(this.count * 7 + (isOther ? 1 : 0)).bytes(length);
    const text = Buffer.from(letters.map((byte) => 97 + (byte % 26))).toString('latin1');
    const context = { text, count: this.count };
    this.instances.set(id, JSON.stringify(context));
    await store.instances.create({ machine: 'item', id, context });
  }
}

type Base = Pick<Sample, 'name' | 'seed' | 'isLarge' | 'isClosed' | 'files'>;

async function describeSample(base: Base, instances: ReadonlyMap<string, string>): Promise<Sample> {
  const sums = new Map<number, number>([[0, 0]]);
  let sum = 0;
  const report = await scanLog(new FrozenIo(base.files), DIRECTORY, {
    onFrame(bytes, start, end, firstOffset, count) {
      sum = crc32c(bytes, start, end, sum);
      sums.set(firstOffset + count - 1, sum);
    },
  });
  if (report === undefined) throw new Error(`sample ${base.name} is no store`);
  const segments = report.segments.map(({ path }) => path);
  const used = new Map(report.segments.map(({ path, usedBytes }) => [path, usedBytes]));
  // A torn frame is none.
  const frames = segments
    .flatMap((path) => framesOf(path, base.files.get(path) as Uint8Array))
    .filter((frame) => frame.end <= (used.get(frame.path) ?? 0));
  const lastOffset = report.end.offset;
  return { ...base, segments, used, frames, lastOffset, sums, instances };
}

/** Frames of an undamaged segment. */
function framesOf(path: string, bytes: Uint8Array): FramePlace[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: FramePlace[] = [];
  for (let at: number = SEGMENT_HEADER.size; at + FRAME.size <= bytes.length;) {
    if (view.getUint16(at + FRAME.magic, true) !== FRAME_MAGIC) break;
    const count = view.getUint32(at + FRAME.recordCount, true);
    const attested = view.getUint32(at + FRAME.attestedSegment, true);
    const end = at + FRAME.size + paddedLength(view.getUint32(at + FRAME.payloadLength, true));
    frames.push({
      path,
      at,
      end,
      kind: view.getUint8(at + FRAME.kind),
      lastOffset: readU64(view, at + FRAME.firstOffset) + count - 1,
      attestedPath: `${DIRECTORY}/${String(attested).padStart(8, '0')}.wal`,
      attestedBytes: view.getUint32(at + FRAME.attestedBytes, true),
    });
    at = end;
  }
  return frames;
}

export const isData = (frame: FramePlace): boolean => frame.kind === FRAME_KIND.data;
