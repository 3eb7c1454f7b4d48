/**
 * The process that owns the store: opens it, replays the log into it at durability 'always' and
 * reports every acknowledgement. It never ends by itself, so that the demo decides how it dies;
 * if the demo is gone, so is the worker. Run by worker-process.ts, not by hand.
 */
import { isStoreError, openStore, type Store } from 'pawl';
import { readLogFile } from './log-file.ts';
import type { LogCounters, Message, ReplayRequest, Request } from './messages.ts';
import { replay } from './replay.ts';

/** Without anybody to hear it there is nothing left to do. */
function send(message: Message): void {
  process.send?.(message, (error: Error | null) => {
    if (error !== null) process.exit(1);
  });
}

/** Gathers the acknowledgements of one turn of the event loop: one group commit, one message. */
function acknowledger(store: Store): (caseIndex: number, applied: boolean) => void {
  const startedAt = performance.now();
  let applied: number[] = [];
  let repeated: number[] = [];
  const flush = (): void => {
    const elapsedMs = performance.now() - startedAt;
    send({ type: 'acknowledged', applied, repeated, elapsedMs, log: logCounters(store) });
    applied = [];
    repeated = [];
  };
  return (caseIndex, wasApplied) => {
    if (applied.length + repeated.length === 0) setImmediate(flush);
    (wasApplied ? applied : repeated).push(caseIndex);
  };
}

/** Statistics are an open record: take what is there and has the right type. */
function logCounters(store: Store): LogCounters {
  const log: unknown = store.stats()['log'];
  if (typeof log !== 'object' || log === null) return {};
  return {
    ...('syncs' in log && typeof log.syncs === 'number' && { syncs: log.syncs }),
    ...('bytesWritten' in log &&
      typeof log.bytesWritten === 'number' && { bytesWritten: log.bytesWritten }),
  };
}

async function replayIntoStore(request: ReplayRequest): Promise<Store> {
  const cases = await readLogFile(request.logFile, request.caseLimit);
  const store = await openStore(request.directory, {
    durability: 'always',
    // Every key must live until the replay was sent again, however long the log is.
    idempotency: { maxKeys: Infinity },
  });
  send({ type: 'opened', recovery: store.recovery });
  const { name } = await store.machines.put(request.definition);
  await replay(store.instances, {
    machine: name,
    cases,
    concurrency: request.concurrency,
    onWrite: acknowledger(store),
  });
  return store;
}

function fail(error: unknown): void {
  const code = isStoreError(error) ? `${error.code}: ` : '';
  const reason = error instanceof Error ? error.message : String(error);
  process.send?.({ type: 'failed', reason: code + reason } satisfies Message, () =>
    process.exit(1),
  );
}

function main(): void {
  let replayed: Promise<Store> | undefined;
  const orphaned = (): void => process.exit(1);
  const close = async (): Promise<void> => {
    const store = await replayed;
    await store?.close();
    process.off('disconnect', orphaned);
    process.disconnect();
  };
  process.on('disconnect', orphaned);
  process.on('message', (request: Request) => {
    if (request.type === 'close') {
      close().catch(fail);
    } else {
      replayed = replayIntoStore(request);
      replayed.catch(fail);
    }
  });
}

main();
