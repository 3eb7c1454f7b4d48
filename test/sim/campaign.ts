/**
 * What the campaigns over simulated crashes have in common: what they count, how a violation is
 * named so that it can be had again, and how both are told.
 */

import type { PhaseCounts } from './phases.ts';

export interface Violation {
  /** For `npm run crash -- --replay TOKEN`. */
  readonly token: string;
  readonly message: string;
}

export interface CampaignResult {
  readonly runs: number;
  /** Crash states that were judged. */
  readonly states: number;
  /** Of them with different bytes on the disk. */
  readonly distinct: number;
  /** Calls that were made to fail, or to be slow or short. */
  readonly faults: number;
  /** Files damaged at rest. */
  readonly damages: number;
  readonly commands: number;
  /** Crash states between two steps of a snapshot and of what follows from it, where there are any. */
  readonly phases?: Readonly<PhaseCounts>;
  readonly durationMs: number;
  readonly violations: readonly Violation[];
}

export interface CampaignOptions {
  readonly seed: number;
  /** Ends with the run in which so many distinct states were reached. */
  readonly states: number;
  /** Called after every run. Return false to end. */
  readonly onProgress?: ((so_far: CampaignResult) => boolean | void) | undefined;
}

/** After so many a campaign has made its point. */
export const MAX_VIOLATIONS = 10;

export function describeViolation({ token, message }: Violation): string {
  return `${message}\n  again: npm run crash -- --replay ${token}`;
}

export function describeResult(result: CampaignResult): string {
  const { runs, states, distinct, faults, damages, commands, durationMs, violations } = result;
  const seconds = durationMs / 1000;
  const rate = seconds > 0 ? Math.round(distinct / seconds) : 0;
  return [
    `${distinct} distinct crash states of ${states}, in ${runs} runs with ${commands} commands,`,
    `${faults} failed calls and ${damages} damaged files: ${violations.length} violations`,
    `(${seconds.toFixed(1)} s, ${rate} distinct states/s)`,
    ...(result.phases === undefined ? [] : [describePhases(result.phases)]),
  ].join(' ');
}

export function describePhases({ writing, unnamed, named, dropping }: PhaseCounts): string {
  return `${writing} of them inside a snapshot, ${unnamed} before it was named, ${named} between that and the first file dropped, ${dropping} in the middle of dropping`;
}
