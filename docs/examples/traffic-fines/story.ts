/**
 * The story the demo tells, phase by phase: replay in a process of its own, SIGKILL, reopen, send
 * everything again, compare with the fold, sum up. Prints as it goes; says in the end whether the
 * store kept its word. Relies on an empty directory and on nothing else writing into it.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type MachineDefinition, openStore, type RecoveryReport, type Store } from 'pawl';
import { type Comparison, compareWithFold, type Difference } from './compare.ts';
import { type FoldedCase, foldLog } from './fold.ts';
import { type Case, readLogFile } from './log-file.ts';
import type { ReplayRequest } from './messages.ts';
import type { DemoOptions } from './options.ts';
import { writesOf } from './replay.ts';
import * as report from './report.ts';
import type { Terminal } from './terminal.ts';
import { WorkerProcess } from './worker-process.ts';

export interface Scene {
  readonly terminal: Terminal;
  readonly options: DemoOptions;
  readonly directory: string;
  readonly definition: MachineDefinition;
  readonly cases: readonly Case[];
  /** Every case is opened and then gets its events. */
  readonly writes: number;
  /** Told of every worker, so that an interrupted demo can end the running one. */
  readonly onWorker: (worker: WorkerProcess) => void;
}

/** True when the store holds exactly what it should. */
export async function tellStory(scene: Scene): Promise<boolean> {
  const first = await replayAndKill(scene);
  const second = await finishInNewProcess(scene);
  const isKept = reportKept(scene, first, second);
  const bytesOnDisk = await directoryBytes(scene.directory);

  const startedAt = performance.now();
  const store = await openStore(scene.directory);
  const reopenMs = performance.now() - startedAt;
  try {
    const isEqual = await compareCases(scene, store);
    summarise(scene, store, { first, second, bytesOnDisk, reopenMs });
    return isKept && isEqual;
  } finally {
    await store.close();
  }
}

async function replayAndKill(scene: Scene): Promise<WorkerProcess> {
  const { terminal, options, writes } = scene;
  heading(scene, 1, 'Replay, in a process of its own, at durability always');
  const worker = startWorker(scene);
  await worker.opened();
  await worker.acknowledged(Math.ceil(options.killAt * writes));
  await worker.kill();

  heading(scene, 2, 'SIGKILL');
  const { acknowledgedTotal } = worker;
  terminal.line(
    `   The process is gone. It had acknowledged ${report.formatCount(acknowledgedTotal)} of ` +
      `${report.formatCount(writes)} writes${acknowledgedTotal < writes ? '; others were under way' : ''}.`,
  );
  return worker;
}

async function finishInNewProcess(scene: Scene): Promise<WorkerProcess> {
  heading(scene, 3, 'Reopen, in a new process');
  const worker = startWorker(scene);
  scene.terminal.line(`   ${describeRecovery(await worker.opened())}`);

  heading(scene, 4, 'Send every write again, with the same idempotency keys');
  await worker.acknowledged(scene.writes);
  await worker.close();
  return worker;
}

/** Whatever the first worker had acknowledged, the second must have found. */
function reportKept(scene: Scene, first: WorkerProcess, second: WorkerProcess): boolean {
  const { terminal } = scene;
  let lost = 0;
  scene.cases.forEach((_, index) => {
    const promised = (first.applied[index] ?? 0) + (first.repeated[index] ?? 0);
    lost += Math.max(0, promised - (second.repeated[index] ?? 0));
  });
  terminal.line(
    `   ${report.formatCount(second.repeatedTotal)} were there already (applied: false), ` +
      `${report.formatCount(second.appliedTotal)} are new (applied: true).`,
  );
  const promised = `   Acknowledged before the kill: ${report.formatCount(first.acknowledgedTotal)}`;
  terminal.line(
    lost === 0
      ? `${promised}, ${terminal.paint('good', 'all of them found')}.`
      : `${promised}, ${terminal.paint('bad', `${report.formatCount(lost)} of them LOST`)}.`,
  );
  return lost === 0;
}

async function compareCases(scene: Scene, store: Store): Promise<boolean> {
  const { terminal, cases, options } = scene;
  heading(scene, 5, 'Compare every case with a plain fold of the log');
  const expected = foldLog(
    options.expectFile === options.logFile
      ? cases
      : await readLogFile(options.expectFile, options.caseLimit),
  );
  const comparison = compareWithFold(expected, store.instances);
  describeComparison(terminal, expected, comparison);
  return comparison.differing === 0 && comparison.stored === expected.size;
}

interface Measured {
  readonly first: WorkerProcess;
  readonly second: WorkerProcess;
  readonly bytesOnDisk: number;
  readonly reopenMs: number;
}

function summarise(scene: Scene, store: Store, measured: Measured): void {
  const { terminal, definition } = scene;
  const bars = definition.states.map((state) => ({
    label: state,
    count: store.instances.count({ machine: definition.name, state }),
  }));
  heading(scene, 6, 'Cases per state');
  for (const line of report.barLines(bars, terminal.columns)) terminal.line(line);
  terminal.line();
  for (const line of report.factLines(facts(scene, store, measured))) terminal.line(line);
}

function facts(scene: Scene, store: Store, measured: Measured): report.Fact[] {
  const { first, second, bytesOnDisk, reopenMs } = measured;
  // The run that stored more says more about speed; by default that is the first.
  const run = first.appliedTotal >= second.appliedTotal ? first : second;
  const syncs = (first.log.syncs ?? 0) + (second.log.syncs ?? 0);
  const written = first.appliedTotal + second.appliedTotal;
  return [
    {
      name: 'events/s',
      value: report.formatCount(report.perSecond(run.eventsApplied, run.elapsedMs)),
      note: `on disk before acknowledged, ${report.plural(scene.options.concurrency, 'case')} at a time`,
    },
    {
      name: 'disk syncs',
      value: report.formatCount(syncs),
      note: syncs > 0 ? `one for ${(written / syncs).toFixed(1)} writes` : 'not counted',
    },
    {
      name: 'on disk',
      value: report.formatBytes(bytesOnDisk),
      note: `${report.formatCount(bytesOnDisk / scene.writes)} bytes a write`,
    },
    {
      name: 'reopen',
      value: report.formatMs(reopenMs),
      note: `${report.plural(store.recovery.recordsReplayed, 'record')} replayed`,
    },
  ];
}

function startWorker(scene: Scene): WorkerProcess {
  const { options, terminal, writes } = scene;
  const request: ReplayRequest = {
    type: 'replay',
    directory: scene.directory,
    definition: scene.definition,
    logFile: options.logFile,
    concurrency: options.concurrency,
    ...(options.caseLimit !== undefined && { caseLimit: options.caseLimit }),
  };
  const worker: WorkerProcess = WorkerProcess.start(request, scene.cases.length, () => {
    const { acknowledgedTotal: done, elapsedMs } = worker;
    const text = report.progressLine(done, writes, elapsedMs);
    terminal.progress(done / writes, text, performance.now());
  });
  scene.onWorker(worker);
  return worker;
}

function heading({ terminal }: Scene, phase: number, title: string): void {
  terminal.line();
  terminal.line(terminal.paint('bold', `${phase}  ${title}`));
}

function describeRecovery(recovery: RecoveryReport): string {
  const { recordsReplayed, segments, bytesTruncated, durationMs } = recovery;
  return (
    `Recovered ${report.plural(recordsReplayed, 'record')} from ` +
    `${report.plural(segments, 'segment')} in ${report.formatMs(durationMs)}; ` +
    `${report.plural(bytesTruncated, 'byte')} of an unfinished write dropped.`
  );
}

function describeComparison(
  terminal: Terminal,
  expected: ReadonlyMap<string, FoldedCase>,
  { differing, stored, first }: Comparison,
): void {
  const cases = report.plural(expected.size, 'case');
  if (stored !== expected.size) {
    const text = `   ${cases} expected, ${report.formatCount(stored)} stored.`;
    terminal.line(terminal.paint('bad', text));
  }
  if (differing === 0) {
    terminal.line(
      `   ${cases}: state, context and times, ${terminal.paint('good', 'no difference')}.`,
    );
    return;
  }
  terminal.line(
    terminal.paint('bad', `   ${report.plural(differing, 'case differs', 'cases differ')}.`),
  );
  for (const difference of first) terminal.line(describeDifference(difference));
  if (differing > first.length) {
    terminal.line(`   and ${report.formatCount(differing - first.length)} more`);
  }
}

function describeDifference({ id, path, expected, stored }: Difference): string {
  const place = path === '' ? id : `${id} at ${path}`;
  return `   ${place}: expected ${report.shorten(expected, 60)}, stored ${report.shorten(stored, 60)}`;
}

async function directoryBytes(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const entry of entries) {
    if (entry.isFile()) bytes += (await stat(join(entry.path, entry.name))).size;
  }
  return bytes;
}

export function countWrites(cases: readonly Case[]): number {
  return cases.reduce((total, item) => total + writesOf(item), 0);
}
