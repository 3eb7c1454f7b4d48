/** Every bound of the engine in one place; those of the log are in wal/format.ts. */
import { LIMITS as LOG_LIMITS } from '../../wal/format.ts';

export interface EngineLimits {
  /** Applying and answering accepted commits gives the thread back after this long ... */
  readonly sliceMs: number;
  /** ... looked at once in this many commits, plus one. */
  readonly sliceCheckMask: number;
  /** A folded context. */
  readonly contextBytes: number;
  readonly nameBytes: number;
  readonly reasonBytes: number;
  readonly pageItems: number;
  readonly defaultPageItems: number;
  /** Entries a purge record takes out at the most, so that it is applied within a slice. */
  readonly purgeEntries: number;
  /** A commit of a migration ends with so many instances, or behind so many bytes of contexts. */
  readonly migrationCommitRecords: number;
  readonly migrationCommitBytes: number;
  /** Instances that cannot be migrated are named up to so many, the others counted. */
  readonly migrationFailures: number;
}

export const LIMITS: EngineLimits = {
  sliceMs: 2,
  sliceCheckMask: 31,
  contextBytes: LOG_LIMITS.recordBytes,
  nameBytes: 1024,
  reasonBytes: 4096,
  pageItems: 100_000,
  defaultPageItems: 100,
  purgeEntries: 1000,
  migrationCommitRecords: 1000,
  migrationCommitBytes: LOG_LIMITS.frameBytes,
  migrationFailures: 10_000,
};
