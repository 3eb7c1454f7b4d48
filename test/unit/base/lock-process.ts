/** Starts lock-holder.ts as a process of its own, compiled beside node_modules so that it finds them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Compiles the program into a new directory of its own; the caller removes it. */
export function compileHolder(): { readonly output: string; readonly program: string } {
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  const output = mkdtempSync(join(ROOT, '.tmp', 'lock-holder-'));
  const source = 'test/unit/base/lock-holder';
  const config = join(output, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        rootDir: ROOT,
        outDir: output,
        declaration: false,
        declarationMap: false,
        isolatedDeclarations: false,
      },
      files: [join(ROOT, `${source}.ts`)],
      include: [],
    }),
  );
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config]);
  } catch (error) {
    rmSync(output, { recursive: true });
    throw error;
  }
  return { output, program: join(output, `${source}.js`) };
}

export interface Holder {
  readonly child: ChildProcess & { readonly pid: number };
  /** Its first line: 'held' or 'refused by <pid>'. */
  readonly answer: string;
  kill(): Promise<void>;
  release(): Promise<void>;
}

export async function startHolder(
  program: string,
  directory: string,
  method: string,
): Promise<Holder> {
  const child = spawn(process.execPath, [program, directory, method], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [answer] = (await once(createInterface(child.stdout), 'line')) as [string];
  const gone = once(child, 'exit');
  return {
    child: child as Holder['child'],
    answer,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async release() {
      child.stdin.end();
      await gone;
    },
  };
}
