/**
 * One run of a scenario with one fault. While it goes on: what callers are told is in step with
 * docs/errors.md, memory shows what was acknowledged, nothing hangs, and a store that could not be
 * opened, or was closed, has given back its lock and its handles.
 */
import { isStoreError, openStore, type ReadStore, type Store } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { create } from './commands.ts';
import { viewOf } from './door-model.ts';
import { type Fault, FaultyIo, type IoCall } from './faulty-io.ts';
import { checkNothingRepeated, isCommitPath } from './commit-path.ts';
import { type Expected, findState, Ledger } from './ledger.ts';
import type { Scenario, Step } from './scenario.ts';
import { send } from './send.ts';
import { DIRECTORY, openOn, type Start } from './starts.ts';
import { pause, settle } from './still-time.ts';

/** What may be found of the disk after so many of its journal's entries. */
export interface Moment {
  readonly length: number;
  readonly kill: Expected;
  readonly cut: Expected;
}

export class Trial {
  readonly disk: SimDisk;
  readonly io: FaultyIo;
  readonly ledger: Ledger;
  /** The first step behind the fault. */
  failure: Moment | undefined;
  private readonly scenario: Scenario;
  private readonly isNew: boolean;
  private readonly fault: Fault | undefined;
  private readonly ids: Set<string>;

  constructor(scenario: Scenario, start: Start, fault?: Fault) {
    this.scenario = scenario;
    this.fault = fault;
    this.isNew = start.files.size === 0;
    const dirs = this.isNew ? ['/', '/db'] : ['/', '/db', DIRECTORY];
    this.disk = SimDisk.of(new Map(start.files), dirs, {
      hasSyncedWrites: scenario.hasSyncedWrites,
    });
    this.io = new FaultyIo(this.disk.fileIo, fault);
    this.ledger = new Ledger(start.model.copy(), scenario.options.durability === 'always');
    this.ids = idsOf(scenario, start);
  }

  async run(): Promise<void> {
    this.io.isArmed = this.scenario.warmUp.length === 0;
    for (const [number, session] of this.scenario.sessions.entries()) {
      this.io.period = `opening ${number}`;
      if (session === 'read-only') await this.look();
      else await this.work(session, number);
      this.checkReleased();
    }
    checkNothingRepeated(this.io.calls);
  }

  moment(): Moment {
    const { afterKill: kill, afterCut: cut } = this.ledger;
    return { length: this.disk.journal.length, kill, cut };
  }

  private noteFailure(): void {
    if (this.io.hits.length > 0) this.failure ??= this.moment();
  }

  private async work(steps: readonly Step[], number: number): Promise<void> {
    const { io, ledger, scenario } = this;
    let store = await this.open(number);
    if (store === undefined) {
      io.period = `opening ${number} again`;
      store = await this.open(number);
    }
    if (store === undefined) return;
    const opening = io.period;
    const shown = this.viewOf(store);
    if (shown === undefined) return this.close(store);
    ledger.reopened(findState(ledger.afterKill, shown));
    this.noteFailure();
    io.period = `session ${number}`;
    if (!io.isArmed) {
      for (const command of scenario.warmUp) await this.perform(store, { commands: [command] });
      io.isArmed = true;
    }
    for (const step of steps) await this.perform(store, step);
    await this.probe(store, opening);
    io.period = `closing ${number}`;
    await this.close(store);
  }

  /** The store; undefined when that failed. A second attempt may succeed, and leave it as the first would. */
  private async open(number: number): Promise<Store | undefined> {
    const opened = await settle(openOn(this.io.io, this.scenario.options));
    if (opened.status === 'fulfilled') return opened.value;
    this.checkRefusedOpening(opened.reason, number);
    this.checkReleased();
    return undefined;
  }

  private async perform(store: Store, { commands = [], call, waitMs = 0 }: Step): Promise<void> {
    const sent = await settle(Promise.allSettled(commands.map((command) => send(store, command))));
    if (sent.status === 'rejected') throw sent.reason;
    for (const result of sent.value) this.checkCause(result);
    this.ledger.settled(commands, sent.value);
    if (call === 'flush') await this.flush(store);
    if (call === 'verify') await this.verify(store);
    if (waitMs > 0) await pause(waitMs);
    const shown = this.viewOf(store);
    if (shown !== undefined) findState(this.ledger.inMemory, shown);
    this.noteFailure();
  }

  private async flush(store: Store): Promise<void> {
    const result = await settle(store.flush());
    this.checkCause(result);
    if (result.status === 'fulfilled') this.ledger.flushed();
    else this.ledger.notFlushed(result.reason);
  }

  /** What cannot be read now is no damage. */
  private async verify(store: Store): Promise<void> {
    const result = await settle(store.verify());
    this.checkCause(result);
    if (result.status === 'rejected') return;
    for (const reason of result.value.problems) this.checkCause({ status: 'rejected', reason });
  }

  /** F-36: unless the log has stopped, writes are taken again as soon as calls succeed. */
  private async probe(store: Store, opening: string): Promise<void> {
    const { io, ledger } = this;
    const isFree = io.isOver;
    if (io.hits.length > 0) await pause(1500);
    const { refused } = ledger;
    const mustStop = this.hasStopped();
    await this.perform(store, { commands: [create(`probe of ${io.period}`)] });
    if (mustStop && !ledger.isStopped) throw new Error('the log has not stopped');
    if (!this.hasStopped() && !this.hasStopped(opening)) {
      if (ledger.isStopped) throw new Error('the log has stopped');
      if (isFree && ledger.refused > refused)
        throw new Error('no write is taken although every call succeeds again');
    }
  }

  /** Did a call fail, in this period, that ends all writing? While opening only a look at the directory may. */
  private hasStopped(opening?: string): boolean {
    return this.io.hits.some((hit) =>
      opening === undefined
        ? hit.period === this.io.period && isCommitPath(hit)
        : hit.period === opening && hit.kind === 'held',
    );
  }

  /** What a store shows; undefined while the disk does not let it read what opening left in a snapshot. */
  private viewOf(store: ReadStore): string | undefined {
    try {
      return viewOf(store, this.ids);
    } catch (reason) {
      this.checkCause({ status: 'rejected', reason });
      if (!isStoreError(reason, 'WAL_IO_ERROR')) throw reason;
      return undefined;
    }
  }

  private async close(store: Store): Promise<void> {
    const result = await settle(store.close());
    this.checkCause(result);
    if (result.status === 'fulfilled' && !this.ledger.isStopped) this.ledger.flushed();
    if (!store.closed) throw new Error('not closed');
    this.noteFailure();
  }

  private async look(): Promise<void> {
    const opened = await settle(openStore(DIRECTORY, { fileIo: this.io.io, readOnly: true }));
    if (opened.status === 'rejected') {
      const isAbsent = isStoreError(opened.reason, 'NOT_FOUND') && this.ledger.afterKill.min === 0;
      if (!isAbsent) this.checkCause(opened);
      return;
    }
    const shown = this.viewOf(opened.value);
    if (shown !== undefined) findState(this.ledger.afterKill, shown);
    await settle(opened.value.close());
  }

  private checkRefusedOpening(reason: unknown, number: number): void {
    const { disk, io, fault } = this;
    const { outcome } = (reason as { details?: { outcome?: unknown } }).details ?? {};
    this.checkCause({ status: 'rejected', reason });
    if (outcome !== 'not-done') throw new Error(`opening failed with outcome ${String(outcome)}`);
    this.noteFailure();
    // F-37: one call that fails once leaves a whole store, or none.
    const isNew = number === 0 && this.isNew;
    const names = [...disk.files().keys()];
    const isWhole = names.includes(`${DIRECTORY}/manifest`);
    if (isNew && fault?.mode === 'once' && !isWhole && names.length > 0)
      throw new Error(`a partial store is left: ${names.join(' ')}`);
    if (io.hits.length === 0) throw new Error('not opened for no reason', { cause: reason });
  }

  /** A failure is the operating system's, as it said it, with the place; and only where a call failed. */
  private checkCause(result: PromiseSettledResult<unknown>): void {
    if (result.status === 'fulfilled') return;
    const error: unknown = result.reason;
    if (!isStoreError(error)) throw new Error(`no StoreError: ${String(error)}`, { cause: error });
    if (error.code !== 'WAL_IO_ERROR') {
      if (RULES.has(error.code)) return;
      throw new Error(`${error.code}: ${error.message}`, { cause: error });
    }
    const { errno, path } = error.details as { errno?: unknown; path?: unknown };
    const { hits } = this.io;
    if (hits.length === 0) throw new Error(`no call failed: ${error.message}`, { cause: error });
    const isLost = hits.some((hit) => hit.kind === 'held') && this.fault?.errno === 'ENOENT';
    if (errno !== this.fault?.errno && !(isLost && errno === undefined))
      throw new Error(`errno ${String(errno)}: ${error.message}`, { cause: error });
    if (typeof path !== 'string' || !PLACE.test(path))
      throw new Error(`path ${String(path)}: ${error.message}`, { cause: error });
  }

  private checkReleased(): void {
    const { disk, io } = this;
    const isKept = io.hits.some((hit) => hit.kind === 'unlock') && this.fault?.effect !== 'after';
    if (disk.isLocked && !isKept) throw new Error('the lock was not given back');
    // Only the death of its owner ends that one.
    disk.isLocked = false;
    if (io.open.size > 0)
      throw new Error(`still open: ${[...io.open].map(({ path }) => path).join(' ')}`);
  }
}

/** The directory, what is in it, or a segment that could not be prepared. */
const PLACE = /^(?:\/db\b|\d+\.wal$)/;

/** Refusals that have nothing to do with the disk; the ledger knows which are right. */
const RULES: ReadonlySet<string> = new Set([
  'INSTANCE_NOT_FOUND',
  'INSTANCE_EXISTS',
  'MACHINE_NOT_FOUND',
]);

function idsOf(scenario: Scenario, { model }: Start): Set<string> {
  const commands = scenario.sessions.flatMap((session) =>
    session === 'read-only' ? [] : session.flatMap((step) => step.commands ?? []),
  );
  const named = commands.flatMap((command) => command.changes.map((change) => change.id));
  return new Set([...named, ...model.doors.keys()]);
}

export function describe(call: IoCall, fault: Fault): string {
  const { index, kind, path, period } = call;
  return `call ${index} (${kind} ${path}, ${period}) ${fault.errno} ${fault.effect}, ${fault.mode}`;
}
