/** Compiles kill-shim.c where that is possible, and starts processes under it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Shim {
  readonly output: string;
  readonly library: string;
}

/** The shim, or why there is none here. */
export function compileShim(): Shim | string {
  if (process.platform !== 'linux')
    return `preloading is done on Linux, this is ${process.platform}`;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  if (header.glibcVersionRuntime === undefined) return 'the C library is not glibc';
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'there is no C compiler';
  }
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  const output = mkdtempSync(join(ROOT, '.tmp', 'kill-shim-'));
  const library = join(output, 'kill-shim.so');
  const source = join(ROOT, 'test/crash/kill-shim.c');
  try {
    execFileSync('cc', [
      '-shared',
      '-fPIC',
      '-O1',
      '-Wall',
      '-Werror',
      '-o',
      library,
      source,
      '-ldl',
    ]);
  } catch (error) {
    rmSync(output, { recursive: true });
    throw error;
  }
  return { output, library };
}

/** What a process is started with: `root` is the directory whose calls count, `log` hears of each. */
export function shimEnvironment(
  { library }: Shim,
  { root, log, killAt }: { root?: string; log?: string; killAt?: number },
): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library,
    // Calls made through the ring of the kernel would pass by.
    UV_USE_IO_URING: '0',
    ...(root === undefined ? {} : { PAWL_SHIM_ROOT: root }),
    ...(log === undefined ? {} : { PAWL_SHIM_LOG: log }),
    ...(killAt === undefined ? {} : { PAWL_SHIM_KILL: String(killAt) }),
  };
}

export interface SeenCall {
  /** The point before it. */
  readonly point: number;
  readonly kind: string;
  /** Below the root. */
  readonly path: string;
}

export function callsIn(log: string): SeenCall[] {
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [point = '', kind = '', path = ''] = line.split(' ');
    return { point: Number(point), kind, path };
  });
}
