/**
 * checkCrashes(): an application's own workload on a simulated machine, crashed at every point
 * worth trying, and an oracle that looks at what each crash left. The workload runs once and is
 * recorded; every crash state is built from the recording, so thousands cost seconds. Then it is
 * started again on one of them, as an application is after a crash, and crashed again.
 */
import { CrashCampaign } from './crash-campaign.ts';
import { settingsOf } from './crash-settings.ts';
import { parseToken } from './crash-token.ts';
import type { Found, SimulatedStoreOptions, World } from './crash-world.ts';
import type { FaultRule } from './sim-faults.ts';

export interface CrashCheck<T> {
  /** The application: opens its store, does its work, tells the outside world. Called again after a crash, it goes on. */
  readonly workload: (world: World<T>) => Promise<void>;
  /** Throws when what a crash left breaks a promise of the application. */
  readonly oracle: (found: Found<T>) => void | Promise<void>;
  /** Crash states to look at, all different. Default 1000. */
  readonly runs?: number | undefined;
  /** Decides what is left to chance; the same seed checks the same states. Default 1. */
  readonly seed?: number | undefined;
  /** How often in a row the application crashes and starts again. Default 3. */
  readonly lives?: number | undefined;
  /** Of every store `open` opens. */
  readonly options?: SimulatedStoreOptions | undefined;
  /** Calls of the disk that fail while the workload runs; see FaultRule. The workload has to cope with them. */
  readonly faults?: readonly FaultRule[] | undefined;
  /** Only this state again: what a violation named. Everything else must be as it was then. */
  readonly replay?: string | undefined;
  /** Calls of the disk one workload, or one oracle, may make. Default 100,000. */
  readonly maxCalls?: number | undefined;
  /** Real milliseconds nothing may happen before a workload or an oracle counts as stuck. Default 5000. */
  readonly idleMs?: number | undefined;
  /** Take an oracle's word that accepts an empty store although the world was told something. Default false. */
  readonly trustOracle?: boolean | undefined;
}

export interface CrashCheckReport {
  readonly seed: number;
  /** Crash states the oracle looked at, all different. */
  readonly runs: number;
  /** How often the workload ran. */
  readonly workloads: number;
  readonly kills: number;
  readonly cuts: number;
  /** Of those: the crash came while the application opened its store after a crash. */
  readonly nested: number;
  readonly durationMs: number;
}

/** Properties of the error checkCrashes() rejects with when the oracle does. */
export interface CrashViolation {
  /** For `replay`. */
  readonly token: string;
  readonly seed: number;
  readonly life: number;
  readonly told: readonly unknown[];
  /** Did it happen again when it was replayed? If not, the workload is not deterministic. */
  readonly isReproducible: boolean;
}

/**
 * Runs a workload on a simulated machine, crashes it wherever a crash may leave something else,
 * and asks the oracle about each state left.
 *
 * @returns what was tried, when the oracle accepted all of it.
 * @throws {Error} with the fields of CrashViolation and the oracle's error as `cause`, when it did not; or when
 *   the workload throws without having been crashed, waits for the real world, or never ends.
 * @throws {StoreError} BAD_REQUEST - options out of range, a token that names no state.
 * @example
 * await checkCrashes<string>({
 *   async workload({ open, tell }) {
 *     const store = await open();
 *     const orders = await store.machine(order);
 *     await orders.create({ id: 'o-1' });
 *     tell('o-1');
 *   },
 *   async oracle({ open, told }) {
 *     const store = await open();
 *     for (const id of told) if (!store.instances.get(id)) throw new Error(`${id} is lost`);
 *   },
 *   runs: 2000,
 *   seed: 1,
 * });
 */
export async function checkCrashes<T>(check: CrashCheck<T>): Promise<CrashCheckReport> {
  const settings = settingsOf(check);
  const campaign = new CrashCampaign<T>(settings);
  return check.replay === undefined ? campaign.run() : campaign.replay(parseToken(check.replay));
}
