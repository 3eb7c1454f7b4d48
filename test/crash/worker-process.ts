/** Compiles the programs of these tests once for a test file, starts worker.ts as a process of its own, and keeps what it says. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Durability } from 'pawl';
import type { Expected } from './workload.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface WorkerPlan {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly durability: Durability;
  /** Records between two snapshots; absent: none is taken. The log before the older of two goes. */
  readonly snapshotInterval?: number | undefined;
  /** First command of each caller. */
  readonly from: readonly number[];
  /** How many each of them sends, the first a few more; with 0 it opens and closes only. */
  readonly commands: number;
  /** What it must find; without it it does not look. */
  readonly expected?: Expected | undefined;
  /** Works only when there is a reserve on the disk. */
  readonly waitsForReserve?: boolean | undefined;
  /** Point of its file calls at which it dies, from 1. */
  readonly killAt?: number | undefined;
  /** Or the place, as it reports it, once so many commands were acknowledged. */
  readonly killOn?: { readonly place: string; readonly afterCommands: number } | undefined;
}

/** Compiles the programs into a new directory beside node_modules; the caller removes it. */
export function compileWorker(name: 'worker' | 'failing-worker' = 'worker'): {
  readonly output: string;
  readonly program: string;
} {
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  const output = mkdtempSync(join(ROOT, '.tmp', 'crash-worker-'));
  const config = join(output, 'tsconfig.json');
  const compilerOptions = {
    rootDir: ROOT,
    outDir: output,
    noEmit: false,
    noCheck: true,
    // Types only: at run time the worker imports the sources by path.
    paths: { pawl: [join(ROOT, 'src/index.ts')] },
  };
  const extended = join(ROOT, 'test/tsconfig.json');
  const files = [join(ROOT, `test/crash/${name}.ts`)];
  writeFileSync(config, JSON.stringify({ extends: extended, compilerOptions, files, include: [] }));
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config]);
  } catch (error) {
    rmSync(output, { recursive: true });
    throw error;
  }
  return { output, program: join(output, `test/crash/${name}.js`) };
}

export class Worker {
  readonly pid: number;
  isPrepared = false;
  isClosed = false;
  failure: { readonly code: string; readonly details: Record<string, unknown> } | undefined;
  /** What it found was not what it was to find. */
  wrong: string | undefined;
  /** Records of prepare() that were acknowledged. */
  made = 0;
  /** Commands of each caller that it found when it opened. */
  found: readonly number[] | undefined;
  /** Commands of each caller that were acknowledged, and that were sent. */
  readonly acked: number[];
  readonly sent: number[];
  /** Acknowledged commands that had been there before: [caller, serial]. */
  readonly repeated: [number, number][] = [];
  lastOffset = 0;
  /** Where it killed itself: how, kind of call, file. */
  death: string | undefined;
  /** Calls it made that change the disk, by kind; known when it closed. */
  calls: Readonly<Record<string, number>> | undefined;
  /** Resolves with the signal it died of, when all it said is in. */
  readonly gone: Promise<string | null>;
  private readonly child: ReturnType<typeof spawn>;
  private onLine: () => void = () => undefined;

  constructor(
    program: string,
    plan: WorkerPlan,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.acked = [...plan.from];
    this.sent = [...plan.from];
    const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    this.child = child;
    this.pid = child.pid!;
    const lines = createInterface(child.stdout);
    lines.on('line', (line) => this.hear(line));
    // 'close' comes when the pipe is read to its end.
    this.gone = once(child, 'close').then(([, signal]) => signal as string | null);
    void this.gone.then(() => this.onLine());
  }

  /** Resolves when `condition` holds; throws if the process ends before that. */
  async until(condition: (worker: this) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) await this.gone;
      if (condition(this)) return;
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`the worker ended: ${JSON.stringify(this.failure ?? this.wrong)}`);
      await new Promise<void>((resolve) => (this.onLine = resolve));
    }
  }

  get ackedTotal(): number {
    return this.acked.reduce((sum, one) => sum + one, 0);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.gone;
  }

  /** Asks it to close its store. */
  close(): void {
    this.child.stdin?.write('close\n');
  }

  private hear(line: string): void {
    const [what = '', ...words] = line.split(' ');
    const rest = line.slice(what.length + 1);
    if (what === 'prepared') this.isPrepared = true;
    else if (what === 'closed') this.isClosed = true;
    else if (what === 'made') this.made = Number(rest);
    else if (what === 'found') this.found = words.map(Number);
    else if (what === 'dies') this.death = rest;
    else if (what === 'wrong') this.wrong = JSON.parse(rest) as string;
    else if (what === 'calls') this.calls = JSON.parse(rest) as Record<string, number>;
    else if (what === 'failed') {
      const details = rest.slice(rest.indexOf(' ') + 1);
      this.failure = {
        code: words[0] ?? '',
        details: JSON.parse(details) as Record<string, unknown>,
      };
    } else if (what === 'sent' || what === 'done') this.hearCommand(what, words);
    this.onLine();
  }

  private hearCommand(what: 'sent' | 'done', words: readonly string[]): void {
    const [caller = 0, serial = 0, offset = 0] = words.map(Number);
    if (what === 'sent') this.sent[caller] = serial + 1;
    else {
      this.acked[caller] = serial + 1;
      this.lastOffset = Math.max(this.lastOffset, offset);
      if (words[3] === 'false') this.repeated.push([caller, serial]);
    }
  }
}
