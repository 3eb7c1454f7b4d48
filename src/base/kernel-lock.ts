/**
 * Locks the kernel keeps for an open file and drops when its last descriptor closes, however the
 * process ended. They come from an optional native package; without it there are none, and the
 * directory lock decides by what is known about the owner's process instead.
 */
import { createRequire } from 'node:module';

export interface KernelLock {
  /** Takes the file behind `fd` for good; false when somebody has it. Throws where the file system has no locks. */
  tryTake(fd: number): boolean;
  /** Has nobody taken the file behind `fd`? Two who ask at once do not disturb each other. */
  isFree(fd: number): boolean;
}

/** What we use of the package `fs-native-extensions`. */
interface NativeLocks {
  tryLock(fd: number, offset: number, length: number, options?: { shared?: boolean }): boolean;
  unlock(fd: number, offset: number, length: number): void;
}

/**
 * The locked bytes. Windows keeps others from reading locked bytes, so there it is one byte far
 * behind the content; elsewhere locks are advisory and the whole file is the portable choice.
 */
const [START, LENGTH] = process.platform === 'win32' ? [2 ** 30, 1] : [0, 0];

/** The kernel's locks, or null where the native package is missing or does not load. */
export function loadKernelLock(): KernelLock | null {
  let native: NativeLocks;
  try {
    native = createRequire(import.meta.url)('fs-native-extensions') as NativeLocks;
  } catch {
    // Whatever the reason (not installed, no binary for this platform), the answer is the same.
    return null;
  }
  return {
    tryTake: (fd) => native.tryLock(fd, START, LENGTH),
    isFree(fd) {
      if (!native.tryLock(fd, START, LENGTH, { shared: true })) return false;
      native.unlock(fd, START, LENGTH);
      return true;
    },
  };
}
