/**
 * `pawl/testing`: what Pawl is tested with, for applications to test themselves. A simulated
 * machine whose disk knows written from durable, an exhaustive tour of what crashes leave behind,
 * and small things for ordinary tests.
 */
export { checkCrashes, type CrashCheck } from './check-crashes.ts';
export type { CrashCheckReport, CrashViolation } from './check-crashes.ts';
export type { Found, SimulatedMachine, SimulatedStoreOptions, World } from './crash-world.ts';
export { Simulation, type SimulatedPorts, type SimulationOptions } from './simulation.ts';
export { SimDisk, type SimDiskOptions } from './sim-disk.ts';
export { DiskImage, type Files } from './sim-image.ts';
export type { Effect, Entry, Survival, TornWrite } from './sim-journal.ts';
export { SimScheduler, type SimClock } from './sim-scheduler.ts';
export { CrashWalk } from './crash-walk.ts';
export { choicesAt, crashAt, type CrashState } from './crash-states.ts';
export { FaultPlan, type Call, type FaultRule, type Outcome } from './sim-faults.ts';
export * as damage from './damage.ts';
export type { ByteRange, Damage, FileRange } from './damage.ts';
export { fileIoContract, type ContractCase, type FileIoUnderTest } from './file-io-suite.ts';
export { manualClock, type ManualClock } from './manual-clock.ts';
export { temporaryStore, type TemporaryStore } from './temporary-store.ts';
export { seededRandom, type Random } from '../base/random.ts';
export type { Clock } from '../base/clock.ts';
export type { Thread } from '../base/thread.ts';
export type { DirectoryLock, FileHandle, FileIo, FileStat, OpenMode } from '../base/file-io.ts';
