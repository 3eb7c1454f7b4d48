/** The priority of a single thread, which only Linux knows; elsewhere it is that of the process, and not ours to change. */
import { setPriority } from 'node:os';

/**
 * Steps below normal: enough to be interrupted by whatever wakes up, and still a quarter of a processor
 * beside a thread that never sleeps, for somebody may be waiting for the work. A thread cannot take
 * it back.
 */
const BACKGROUND = 5;

/** Whatever wakes up goes before the calling thread, where the system can do that. Costs nothing to lose. */
export function runInBackground(): void {
  if (process.platform !== 'linux') return;
  try {
    // There, 0 is the calling thread.
    setPriority(0, BACKGROUND);
  } catch {
    // Not allowed here: pauses alone must do.
  }
}
