/**
 * A process whose system calls fail: under the preloaded library of kill-shim.c it goes through
 * one store after the other, and in each another call of libc fails. It says what its callers were
 * told; somebody else looks what is there. Argument: a FailingPlan as JSON.
 */
import { cpSync, mkdirSync, openSync, readlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isStoreError, openStore, type Store } from '../../src/index.ts';
import type { FailingPlan, Failure, Told } from './failing-calls.ts';
import { CALLERS, perform, prepare } from './workload.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as FailingPlan;
/** No call takes so long, whatever fails. */
const HANGS_AFTER_MS = 20_000;
/** Times a caller sends again what was not done, when it may without opening again. */
const MOST_TRIES = 4;
const RETRY_MS = 15;

/** The library hears of this in the path of an open; the answer is always that there is no such file. */
function tellShim(words: string): void {
  try {
    openSync(`/pawl-shim/${words}`, 'r');
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
  }
}

class Run {
  readonly told: Told;
  private readonly failure: Failure;

  constructor(failure: Failure, directory: string) {
    this.failure = failure;
    const { made, acked, sent } = plan.from[failure.stage];
    this.told = {
      directory,
      fired: 0,
      made: [made, made],
      isPrepared: failure.stage === 'reopen',
      acked: [...acked],
      sent: [...sent],
      codes: [],
    };
  }

  async go(): Promise<void> {
    const { durability } = this.failure;
    let store: Store;
    try {
      store = await openStore(this.told.directory, { segmentBytes: 4096, durability });
    } catch (error) {
      this.note('open', error);
      return;
    }
    if (await this.prepare(store))
      await Promise.all(Array.from({ length: CALLERS }, (_, caller) => this.call(store, caller)));
    await store.flush().catch((error: unknown) => void this.note('flush', error));
    await store.close().catch((error: unknown) => void this.note('close', error));
  }

  private async prepare(store: Store): Promise<boolean> {
    const { told } = this;
    try {
      await prepare(store, (records) => (told.made = [records, records]));
      told.isPrepared = true;
      return true;
    } catch (error) {
      if (this.note('prepare', error) === 'unknown') told.made = [told.made[0], told.made[0] + 1];
      return false;
    }
  }

  /** One caller: what was not done it sends again, after anything else it stops. */
  private async call(store: Store, caller: number): Promise<void> {
    const { acked, sent } = this.told;
    const until = acked[caller]! + plan.commands;
    for (let tries = 0; acked[caller]! < until && tries < MOST_TRIES;) {
      const serial = acked[caller]!;
      try {
        await perform(store, caller, serial);
        acked[caller] = serial + 1;
        sent[caller] = Math.max(sent[caller]!, serial + 1);
        tries = 0;
      } catch (error) {
        const outcome = this.note('command', error);
        if (outcome === 'unknown') sent[caller] = serial + 1;
        if (outcome !== 'not-done' || hasToReopen(error)) return;
        tries++;
        await setTimeout(RETRY_MS);
      }
    }
  }

  /** What the error says of the fate of the call. */
  private note(what: string, error: unknown): unknown {
    const isCoded = isStoreError(error);
    const { outcome } = (isCoded ? error.details : {}) as { outcome?: string };
    const code = isCoded ? error.code : `uncoded ${String(error)}`;
    const text = `${what} ${code} ${outcome ?? ''}`.trim();
    if (!this.told.codes.includes(text)) this.told.codes.push(text);
    return outcome;
  }
}

function hasToReopen(error: unknown): boolean {
  return isStoreError(error) && (error.details as { reopen?: boolean }).reopen === true;
}

/** The n-th call of the kind fails. */
async function runOnce(failure: Failure, n: number, root: string): Promise<Told> {
  mkdirSync(root);
  const directory = join(root, 'store');
  if (failure.stage === 'reopen') cpSync(plan.template, directory, { recursive: true });
  const run = new Run(failure, directory);
  tellShim(`fail:${failure.kind}:${n}:${failure.errno}:${failure.times}:${root}`);
  const hung = setTimeout(HANGS_AFTER_MS, 'hung', { ref: false });
  const how = await Promise.race([run.go(), hung]);
  tellShim('off');
  run.told.fired = Number(readlinkSync('/pawl-shim/fired'));
  if (how === 'hung') run.told.codes.push('hung');
  return run.told;
}

for (const [index, failure] of plan.failures.entries()) {
  for (let n = failure.first; ; n += failure.step) {
    const root = join(plan.root, `${index}-${n}`);
    writeSync(1, `${JSON.stringify({ failure, n, root, beginning: true })}\n`);
    const told = await runOnce(failure, n, root);
    writeSync(1, `${JSON.stringify({ failure, n, root, told })}\n`);
    if (told.fired === 0 || told.codes.includes('hung')) break;
  }
}
process.exit(0);
