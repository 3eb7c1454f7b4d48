/**
 * One simulated machine: a disk, a scheduler with its clock and thread, and randomness, all of one
 * seed. What runs on it touches nothing real, and the same seed runs it the same way.
 */
import type { Clock } from '../base/clock.ts';
import type { FileIo } from '../base/file-io.ts';
import { type Random, seededRandom } from '../base/random.ts';
import type { Thread } from '../base/thread.ts';
import { SimDisk } from './sim-disk.ts';
import { DiskImage } from './sim-image.ts';
import { type SimClock, SimScheduler } from './sim-scheduler.ts';

/** The ports of a simulated machine, as options of `openStore` and `openLog`. */
export interface SimulatedPorts {
  readonly fileIo: FileIo;
  readonly clock: Clock;
  readonly thread: Thread;
  readonly random: Random;
}

/** What a simulated machine starts with. */
export interface SimulationOptions {
  /** Decides everything that is left to chance. */
  readonly seed: number;
  /** What lies on its disk, or the disk a crash left. Default: an empty one with a root directory. */
  readonly disk?: DiskImage | SimDisk | undefined;
  /** Time of day when it starts, milliseconds since the epoch. */
  readonly epochMs?: number | undefined;
  /** Does the disk offer synced writes, as Linux does? Default true. */
  readonly hasSyncedWrites?: boolean | undefined;
}

/**
 * A machine that is not there: give its ports to `openStore` or `openLog`.
 *
 * @example
 * const machine = new Simulation({ seed: 1 });
 * const store = await openStore('/store', machine.ports);
 */
export class Simulation {
  readonly seed: number;
  readonly scheduler: SimScheduler;
  readonly disk: SimDisk;
  readonly random: Random;

  constructor(options: SimulationOptions) {
    const { seed, disk, epochMs } = options;
    this.seed = seed;
    this.scheduler = new SimScheduler(seed, epochMs);
    this.random = seededRandom(seed ^ 0x5bd1e995);
    const { scheduler } = this;
    if (disk === undefined || disk instanceof DiskImage) {
      const { hasSyncedWrites } = options;
      this.disk = new SimDisk(disk, { scheduler, hasSyncedWrites });
    } else {
      const { start: image, journal, hasSyncedWrites } = disk;
      this.disk = SimDisk.resumed({ image, journal }, { scheduler, hasSyncedWrites });
    }
  }

  /** Time of day, to be set by the test. */
  get clock(): SimClock {
    return this.scheduler.clock;
  }

  /** What runs on the machine gets these, and nothing real. */
  get ports(): SimulatedPorts {
    const { scheduler, disk, random } = this;
    return { fileIo: disk.fileIo, clock: scheduler.clock, thread: scheduler.thread, random };
  }

  /** Nothing of it happens any more. */
  stop(): void {
    this.scheduler.stop();
  }
}
