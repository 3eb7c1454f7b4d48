/**
 * The contract of the FileIo port as cases, for whoever writes a file system for Pawl to run on:
 * what the log and the store rely on, and nothing that only one operating system does. Independent
 * of any test runner. Relies on the cases by theme: file-io-suite-files.ts, -names.ts, -locks.ts.
 */
import type { FileIo } from '../base/file-io.ts';
import { FILE_CASES } from './file-io-suite-files.ts';
import { LOCK_CASES } from './file-io-suite-locks.ts';
import { NAME_CASES } from './file-io-suite-names.ts';
import { type PortCase, PortTrial } from './file-io-trial.ts';

/** A port for one case, and where it may make a mess. */
export interface FileIoUnderTest {
  readonly fileIo: FileIo;
  /** Absolute path of an empty directory of its own. */
  readonly directory: string;
  /** Called once, when the case is over, also when it failed. */
  dispose(): Promise<void>;
}

/** One promise of a contract. */
export interface ContractCase {
  /** A sentence, other for each case. */
  readonly name: string;
  /**
   * Rejects when the promise is not kept.
   * @throws {AssertionError} says which part of it, with what was found and expected.
   */
  run(): Promise<void>;
}

/**
 * The cases every FileIo has to pass; each makes a port of its own, so they may run in any order.
 *
 * @param make Called once for each case.
 * @example
 * for (const { name, run } of fileIoContract(async () => ({
 *   fileIo: SimDisk.of(new Map(), ['/work']).fileIo,
 *   directory: '/work',
 *   dispose: async () => undefined,
 * }))) {
 *   await run().catch((cause) => { throw new Error(name, { cause }); });
 * }
 */
export function fileIoContract(make: () => Promise<FileIoUnderTest>): readonly ContractCase[] {
  return [...FILE_CASES, ...NAME_CASES, ...LOCK_CASES].map((one) => ({
    name: one.name,
    run: () => runCase(make, one),
  }));
}

async function runCase(make: () => Promise<FileIoUnderTest>, one: PortCase): Promise<void> {
  const port = await make();
  const trial = new PortTrial(port.fileIo, port.directory);
  try {
    await one.check(trial);
  } finally {
    await trial.closeAll();
    await port.dispose();
  }
}
