/**
 * What a migration is asked for, and what becomes of one instance in it: the state and context it
 * goes on with, or why it cannot. The caller's map is called here and nowhere else; whatever it
 * does wrong is said about that instance and harms no other.
 */
import type { ByteWriter } from '../../base/bytes.ts';
import { badRequest } from '../../base/errors.ts';
import type { Definition } from '../../instance/machine-store.ts';
import { writeContext } from '../../value/write-value.ts';
import type { Instance } from '../api/instance.ts';
import type { MigrationPlan, MigrationReport } from '../api/machine.ts';
import { LIMITS } from '../limits.ts';
import { checkName, checkObject, checkVersion, describe } from '../write-options.ts';
import type { Target } from './target.ts';

const FIELDS: readonly string[] = ['machine', 'fromVersion', 'toVersion', 'map', 'dryRun'];
const REASON_CHARACTERS = 500;

/** A plan, checked and read once. */
export interface CheckedPlan {
  readonly machine: string;
  readonly fromVersion: number;
  readonly toVersion: number;
  readonly map: ((instance: Instance) => unknown) | undefined;
  readonly isDryRun: boolean;
}

/** @throws {StoreError} BAD_REQUEST */
export function checkPlan(input: MigrationPlan): CheckedPlan {
  if (checkObject(input, 'plan') === undefined)
    throw badRequest('plan must be an object, not undefined', 'plan', 'object');
  for (const name in input) {
    if (!FIELDS.includes(name))
      throw badRequest(`a migration has no field ${JSON.stringify(name)}`, name);
  }
  const { machine, fromVersion, toVersion, map, dryRun } = input;
  const plan = {
    machine: checkName(machine, 'machine'),
    fromVersion: versionOf(fromVersion, 'fromVersion'),
    toVersion: versionOf(toVersion, 'toVersion'),
    map,
    isDryRun: dryRun === true,
  };
  if (plan.fromVersion === plan.toVersion)
    throw badRequest('toVersion must be another version than fromVersion', 'toVersion');
  if (map !== undefined && typeof map !== 'function')
    throw badRequest(`map must be a function, not ${describe(map)}`, 'map', 'function');
  if (dryRun !== undefined && typeof dryRun !== 'boolean')
    throw badRequest(`dryRun must be a boolean, not ${describe(dryRun)}`, 'dryRun', 'boolean');
  return plan;
}

function versionOf(given: unknown, path: string): number {
  const version = checkVersion(given, path);
  if (version === undefined) throw badRequest(`${path} is missing`, path, 'integer');
  return version;
}

/**
 * The state the target goes on with under `to`, its context appended to `body`; or in words why it
 * cannot. Runs the caller's map: to be called while the store takes no other write.
 */
export function decideMigration(
  target: Target,
  id: string,
  to: Definition,
  map: CheckedPlan['map'],
  body: ByteWriter,
): number | string {
  try {
    if (map !== undefined) return mapped(map(target.instance(id)), to, body);
    const name = target.definition.compiled.states[target.state] as string;
    const state = to.compiled.stateIndex(name);
    if (state < 0) return unknownState(name, to);
    target.writeContext(body);
    return state;
  } catch (error) {
    return reasonOf(error);
  }
}

/** What the caller's map gave, each field read once. */
function mapped(result: unknown, to: Definition, body: ByteWriter): number | string {
  if (typeof result !== 'object' || result === null)
    return `map must return { state, context }, not ${describe(result)}`;
  if (isThenable(result)) return 'map must return { state, context } at once, not a promise';
  const { state, context } = result as { state: unknown; context: unknown };
  if (typeof state !== 'string') return `state must be a string, not ${describe(state)}`;
  const index = to.compiled.stateIndex(state);
  if (index < 0) return unknownState(state, to);
  writeContext(body, context, 'context');
  return index;
}

function isThenable(result: object): boolean {
  if (typeof (result as { then?: unknown }).then !== 'function') return false;
  // Nobody will ever look at it: what it rejects with must not end the process.
  Promise.resolve(result).catch(() => undefined);
  return true;
}

function unknownState(state: string, to: Definition): string {
  const shown = JSON.stringify(state.length > 80 ? `${state.slice(0, 80)}...` : state);
  return `version ${to.version} has no state ${shown}`;
}

function reasonOf(error: unknown): string {
  try {
    const text: unknown = error instanceof Error ? error.message : error;
    return String(text).slice(0, REASON_CHARACTERS);
  } catch {
    return 'map threw something that cannot be shown';
  }
}

/** What was done so far. */
export class MigrationTally {
  private readonly byState = new Map<string, number>();
  private readonly failures: { readonly id: string; readonly reason: string }[] = [];
  private migrated = 0;
  private failed = 0;

  addMigrated(state: string): void {
    this.migrated++;
    this.byState.set(state, (this.byState.get(state) ?? 0) + 1);
  }

  addFailure(id: string, reason: string): void {
    this.failed++;
    if (this.failures.length < LIMITS.migrationFailures) this.failures.push({ id, reason });
  }

  get report(): MigrationReport {
    const { migrated, failed, failures } = this;
    return { migrated, byState: Object.fromEntries(this.byState), failures, failed };
  }
}
