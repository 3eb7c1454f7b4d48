/**
 * A store in a directory of its own that goes away by itself: when it is disposed of, at the latest
 * when the process ends.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fsExtra from 'fs-extra';
import type { Store, StoreOptions } from '../engine/api/store.ts';
import { openStore } from '../engine/open-store.ts';

export interface TemporaryStore extends AsyncDisposable {
  /** The store as it was opened last. */
  readonly store: Store;
  readonly directory: string;
  /** Closes the store, and opens it again. */
  reopen(options?: StoreOptions): Promise<Store>;
  /** Closes the store and removes its directory. May be called twice. */
  dispose(): Promise<void>;
}

/**
 * Opens a store in a new directory below that for temporary files.
 *
 * @param options those of `openStore`.
 * @throws {StoreError} as `openStore` does; the directory is gone then.
 * @example
 * await using temporary = await temporaryStore();
 * await temporary.store.machines.put(definition);
 */
export async function temporaryStore(options: StoreOptions = {}): Promise<TemporaryStore> {
  const directory = await fsExtra.mkdtemp(join(tmpdir(), 'pawl-'));
  leftovers.add(directory);
  process.removeListener('exit', removeLeftovers);
  process.once('exit', removeLeftovers);
  const remove = async (): Promise<void> => {
    await fsExtra.remove(directory);
    leftovers.delete(directory);
  };
  let store: Store;
  try {
    store = await openStore(directory, options);
  } catch (error) {
    await remove();
    throw error;
  }
  const dispose = async (): Promise<void> => {
    try {
      await store.close();
    } finally {
      await remove();
    }
  };
  return {
    directory,
    get store() {
      return store;
    },
    async reopen(next = options) {
      await store.close();
      store = await openStore(directory, next);
      return store;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Of the whole process, so that one listener serves all stores: there is one exit. */
const leftovers = new Set<string>();

/** Synchronous: nothing else runs any more when a process exits. */
function removeLeftovers(): void {
  for (const directory of leftovers) fsExtra.rmSync(directory, { recursive: true, force: true });
}
