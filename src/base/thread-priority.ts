/**
 * The priority of a single thread. Linux schedules threads, and takes the number of one wherever it
 * takes that of a process; elsewhere a process has one priority, which is not ours to change.
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Steps below normal: enough to be interrupted by whatever wakes up, and still a tenth of a processor
 * beside a thread that never sleeps, so that the work ends.
 */
const BACKGROUND = 10;

/** Whatever wakes up goes before the calling thread, where the system can do that. Costs nothing to lose. */
export function runInBackground(): void {
  try {
    // Its own entry: <process>/task/<thread>.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, BACKGROUND);
  } catch {
    // Another system, or one that hides /proc: pauses alone must do.
  }
}
