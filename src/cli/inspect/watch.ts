/**
 * Calls back whenever something in a directory has changed, and not while the last call is still
 * at work. Bursts become one call.
 */
import { nodeThread } from '../../base/thread.ts';

/** A writer changes its files many times a second; nobody reads that fast. */
const QUIET_MS = 200;

/** Resolves when `until` does. @param refresh is awaited; what it throws ends the watching. */
export async function watchDirectory(
  directory: string,
  refresh: () => Promise<void>,
  until: Promise<void>,
): Promise<void> {
  // Only needed here, and not cheap to load.
  const { watch } = await import('chokidar');
  const watcher = watch(directory, { ignoreInitial: true, depth: 0 });
  try {
    await new Promise<void>((resolve, reject) => {
      let isDirty = false;
      let isBusy = false;
      const run = async (): Promise<void> => {
        while (isDirty) {
          isDirty = false;
          await refresh();
        }
      };
      const changed = (): void => {
        isDirty = true;
        if (isBusy) return;
        isBusy = true;
        // The watcher keeps the process alive meanwhile.
        nodeThread.delay(QUIET_MS, () => {
          run()
            .catch(reject)
            .finally(() => (isBusy = false));
        });
      };
      watcher.on('all', changed);
      watcher.on('error', reject);
      until.then(resolve, reject);
    });
  } finally {
    await watcher.close();
  }
}
