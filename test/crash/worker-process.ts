/** Compiles worker.ts once for a test file, starts it as a process of its own, and keeps what it says. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Durability } from 'pawl';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface WorkerPlan {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly durability: Durability;
  /** First command of each caller. */
  readonly from: readonly number[];
  /** How many each of them sends. */
  readonly commands: number;
  /** Dies at its n-th call that changes the disk. */
  readonly kill?: { readonly call: number; readonly how: 'before' | 'half' | 'after' } | undefined;
}

/** Compiles the worker into a new directory beside node_modules; the caller removes it. */
export function compileWorker(): { readonly output: string; readonly program: string } {
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
  const files = [join(ROOT, 'test/crash/worker.ts')];
  writeFileSync(config, JSON.stringify({ extends: extended, compilerOptions, files, include: [] }));
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config]);
  } catch (error) {
    rmSync(output, { recursive: true });
    throw error;
  }
  return { output, program: join(output, 'test/crash/worker.js') };
}

export class Worker {
  readonly pid: number;
  isPrepared = false;
  isClosed = false;
  failure: { readonly code: string; readonly details: Record<string, unknown> } | undefined;
  /** Commands of each caller that were acknowledged, and that were sent. */
  readonly acked: number[];
  readonly sent: number[];
  /** Acknowledged commands that had been there before: [caller, serial]. */
  readonly repeated: [number, number][] = [];
  lastOffset = 0;
  /** Resolves with the signal it died of, when all it said is in. */
  readonly gone: Promise<string | null>;
  private readonly child: ReturnType<typeof spawn>;
  private onLine: () => void = () => undefined;

  constructor(program: string, plan: WorkerPlan) {
    this.acked = [...plan.from];
    this.sent = [...plan.from];
    const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
      stdio: ['pipe', 'pipe', 'inherit'],
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
        throw new Error(`the worker ended: ${JSON.stringify(this.failure)}`);
      await new Promise<void>((resolve) => (this.onLine = resolve));
    }
  }

  get ackedTotal(): number {
    return this.acked.reduce((sum, one) => sum + one, 0);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  /** Asks it to close its store. */
  close(): void {
    this.child.stdin?.write('close\n');
  }

  private hear(line: string): void {
    const [what, first = '', second = '', third = '', fourth = ''] = line.split(' ');
    const caller = Number(first);
    const serial = Number(second);
    if (what === 'prepared') this.isPrepared = true;
    else if (what === 'closed') this.isClosed = true;
    else if (what === 'failed') {
      const details = line.slice(line.indexOf('{'));
      this.failure = { code: first, details: JSON.parse(details) as Record<string, unknown> };
    } else if (what === 'sent') this.sent[caller] = serial + 1;
    else if (what === 'done') {
      this.acked[caller] = serial + 1;
      this.lastOffset = Math.max(this.lastOffset, Number(third));
      if (fourth === 'false') this.repeated.push([caller, serial]);
    }
    this.onLine();
  }
}
