/** The contract of the public API against models, in memory. */
import { describe } from 'vitest';
import { openStore, type Store, type StoreOptions } from 'pawl';
import { concurrencyCases } from './cases/concurrency.ts';
import { contextModelCases } from './cases/context-model.ts';

const openInMemory = (options?: StoreOptions): Promise<Store> => openStore(':memory:', options);

describe('in memory', () => {
  contextModelCases(openInMemory, 30);
  concurrencyCases(openInMemory, 150);
});
