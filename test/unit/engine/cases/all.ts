/** All cases that have a right answer written down; those against models are contract-models. */
import { applyCases } from './apply.ts';
import { batchCases } from './batches.ts';
import { closingCases } from './closing.ts';
import { commitLimitCases } from './commit-limits.ts';
import type { Open } from './contract.ts';
import { createCases } from './create.ts';
import { deleteCases } from './delete.ts';
import { eventTimeCases } from './event-times.ts';
import { groupKeyCases } from './group-keys.ts';
import { hostileValueCases } from './hostile-values.ts';
import { idCases } from './ids.ts';
import { keyRetentionCases } from './key-retention.ts';
import { keyCases } from './keys.ts';
import { machineCases } from './machines.ts';
import { queryCases } from './queries.ts';
import { reEntryCases } from './re-entry.ts';
import { refCases } from './refs.ts';
import { refusedDefinitionCases } from './refused-definitions.ts';
import { refusedQueryCases } from './refused-queries.ts';
import { transactionArgumentCases } from './transaction-arguments.ts';
import { transactionCases } from './transactions.ts';
import { visibilityCases } from './visibility.ts';
import { waitingCases } from './waiting.ts';

export function contractCases(open: Open): void {
  machineCases(open);
  refusedDefinitionCases(open);
  createCases(open);
  applyCases(open);
  eventTimeCases(open);
  deleteCases(open);
  idCases(open);
  hostileValueCases(open);
  keyCases(open);
  groupKeyCases(open);
  keyRetentionCases(open);
  transactionCases(open);
  transactionArgumentCases(open);
  batchCases(open);
  commitLimitCases(open);
  visibilityCases(open);
  waitingCases(open);
  refCases(open);
  reEntryCases(open);
  queryCases(open);
  refusedQueryCases(open);
  closingCases(open);
}
