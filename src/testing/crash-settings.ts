/** Options of checkCrashes(), checked, with defaults. */
import { badRequest } from '../base/errors.ts';
import type { CrashCheck } from './check-crashes.ts';
import type { SimulatedStoreOptions } from './crash-world.ts';
import { checkFaults, type FaultRule } from './sim-faults.ts';

export interface CampaignSettings<T> {
  readonly workload: CrashCheck<T>['workload'];
  readonly oracle: CrashCheck<T>['oracle'];
  readonly runs: number;
  readonly seed: number;
  readonly lives: number;
  readonly maxCalls: number;
  readonly idleMs: number;
  readonly options: SimulatedStoreOptions;
  readonly faults: readonly FaultRule[];
  readonly trustOracle: boolean;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof CrashCheck<unknown>>([
  'workload',
  'oracle',
  'runs',
  'seed',
  'lives',
  'options',
  'faults',
  'replay',
  'maxCalls',
  'idleMs',
  'trustOracle',
]);

/** @throws {StoreError} BAD_REQUEST - an unknown option, or a value out of range. */
export function settingsOf<T>(check: CrashCheck<T>): CampaignSettings<T> {
  if (typeof check !== 'object' || check === null)
    throw badRequest('checkCrashes needs an object with workload and oracle', 'check');
  const unknown = Object.keys(check).find((name) => !OPTIONS.has(name));
  if (unknown !== undefined) throw badRequest(`${unknown} is no option`, unknown);
  for (const name of ['workload', 'oracle'] as const)
    if (typeof check[name] !== 'function') throw badRequest(`${name} must be a function`, name);
  const { runs = 1000, seed = 1, lives = 3, maxCalls = 100_000, idleMs = 5000 } = check;
  const numbers = { runs, seed, lives, maxCalls, idleMs };
  for (const [name, value] of Object.entries(numbers))
    if (!Number.isSafeInteger(value) || value < (name === 'seed' ? 0 : 1))
      throw badRequest(`${name} must be a positive integer (a seed may be 0)`, name);
  const { workload, oracle, options = {}, faults = [], trustOracle = false } = check;
  if (check.replay !== undefined && typeof check.replay !== 'string')
    throw badRequest('replay must be the token of a failure', 'replay');
  if (typeof options !== 'object' || options === null)
    throw badRequest('options must be options of openStore', 'options');
  // Refused now, not in the middle.
  checkFaults(faults);
  return { ...numbers, workload, oracle, options, faults, trustOracle };
}
