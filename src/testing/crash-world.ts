/** What checkCrashes() hands to an application's workload, and to the oracle that judges what a crash left. */
import type { Clock } from '../base/clock.ts';
import { KiB } from '../base/units.ts';
import type { Random } from '../base/random.ts';
import type { Store, StoreOptions } from '../engine/api/store.ts';
import { openStore } from '../engine/open-store.ts';
import type { SimulatedPorts, Simulation } from './simulation.ts';

/** Options of the stores under test; the ports are the simulation's. */
export type SimulatedStoreOptions = Omit<StoreOptions, 'fileIo' | 'clock' | 'thread' | 'random'>;

/** One simulated machine, as workload and oracle see it. */
export interface SimulatedMachine<T> {
  /** Opens the store of the application, which is the same one at every call. */
  readonly open: (options?: SimulatedStoreOptions) => Promise<Store>;
  /** For what is not opened by `open`: `openLog(directory, { ...ports })`, a clock for the application. */
  readonly ports: SimulatedPorts;
  /** Where `open` has the store; another name beside it may be used as well. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Resolves after so many virtual milliseconds, at once in real time. */
  readonly sleep: (ms: number) => Promise<void>;
  /** What the outside world was told, in order, in this life and those before it. */
  readonly told: readonly T[];
  /** 0 at first; 1 when the application starts again after a crash, and so on. */
  readonly life: number;
}

/** A machine on which the application runs. */
export interface World<T> extends SimulatedMachine<T> {
  /**
   * Notes that the outside world was told something that no crash may take back: an answer that
   * was sent, a message, an order confirmed. From then on the oracle finds it in `told`.
   */
  readonly tell: (what: T) => void;
}

/** A machine after a crash. */
export interface Found<T> extends SimulatedMachine<T> {
  readonly crash: {
    /**
     * 'kill': processes died, and the system lived on. 'cut': the power was cut, now or in an earlier
     * life. 'none': the workload ended in peace.
     */
    readonly kind: 'kill' | 'cut' | 'none';
    /** What the disk had been asked to do by then, as one line per call, oldest first. */
    readonly describe: () => string;
  };
}

/** Small files, so that a short workload meets the change from one to the next. */
const SEGMENT_BYTES: number = 4 * KiB;
export const APPLICATION_DIRECTORY = '/application';
const STORE_DIRECTORY = '/application/store';

export function machineOn<T>(
  simulation: Simulation,
  life: number,
  told: readonly T[],
  preset: SimulatedStoreOptions,
): SimulatedMachine<T> {
  const { ports, scheduler } = simulation;
  return {
    open: (options) =>
      openStore(STORE_DIRECTORY, {
        segmentBytes: SEGMENT_BYTES,
        ...preset,
        ...options,
        ...ports,
      }),
    ports,
    directory: STORE_DIRECTORY,
    clock: ports.clock,
    random: ports.random,
    sleep: (ms) => new Promise<void>((resolve) => void scheduler.after(ms, resolve)),
    told,
    life,
  };
}
