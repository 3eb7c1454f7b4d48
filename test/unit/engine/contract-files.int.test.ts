/**
 * The contract of the public API on real files: what holds in memory holds on the disk. All of it
 * at the strongest level; at the weakest, whose frames take another way, what depends on when
 * something is written, shown and answered.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { type Durability, openStore, type Store, type StoreOptions } from 'pawl';
import { contractCases } from './cases/all.ts';
import { batchCases } from './cases/batches.ts';
import { closingCases } from './cases/closing.ts';
import { concurrencyCases } from './cases/concurrency.ts';
import { contextModelCases } from './cases/context-model.ts';
import type { Open } from './cases/contract.ts';
import { keyRetentionCases } from './cases/key-retention.ts';
import { keyCases } from './cases/keys.ts';
import { reEntryCases } from './cases/re-entry.ts';
import { transactionCases } from './cases/transactions.ts';
import { visibilityCases } from './cases/visibility.ts';
import { waitingCases } from './cases/waiting.ts';

let root: string;
let count = 0;
const opened: Store[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pawl-contract-'));
});
afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((store) => store.close()));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function openAt(durability: Durability): Open {
  return async (options?: StoreOptions): Promise<Store> => {
    const store = await openStore(join(root, `${count++}`), { durability, ...options });
    opened.push(store);
    return store;
  };
}

describe("on files, level 'always'", () => {
  const open = openAt('always');
  contractCases(open);
  contextModelCases(open, 5);
  concurrencyCases(open, 20);
});

describe("on files, level 'os'", () => {
  const open = openAt('os');
  keyCases(open);
  keyRetentionCases(open);
  transactionCases(open);
  batchCases(open);
  visibilityCases(open);
  waitingCases(open);
  reEntryCases(open);
  closingCases(open);
  concurrencyCases(open, 20);
});
