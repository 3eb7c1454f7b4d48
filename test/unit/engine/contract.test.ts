/** The contract of the public API, in memory. */
import { afterEach, describe } from 'vitest';
import { openStore, type Store, type StoreOptions } from 'pawl';
import { contractCases } from './cases/all.ts';

const opened: Store[] = [];

async function openInMemory(options?: StoreOptions): Promise<Store> {
  const store = await openStore(':memory:', options);
  opened.push(store);
  return store;
}

afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((store) => store.close()));
});

describe('in memory', () => {
  contractCases(openInMemory);
});
