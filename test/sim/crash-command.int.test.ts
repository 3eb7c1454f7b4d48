/** The command `npm run crash` as a process: its arguments, a tiny run, and one state again. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_MS = 300_000;
let output: string;

/** Into a directory of its own: other tests use dist/. */
beforeAll(() => {
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  output = mkdtempSync(join(ROOT, '.tmp', 'crash-command-'));
  const config = join(output, 'tsconfig.json');
  const paths = { pawl: [join(ROOT, 'src/index.ts')], 'pawl/wal': [join(ROOT, 'wal/index.ts')] };
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(ROOT, 'test/sim/tsconfig.json'),
      compilerOptions: { rootDir: ROOT, outDir: output, noCheck: true, paths },
      files: [join(ROOT, 'test/sim/main.ts'), join(ROOT, 'test/sim/job.ts')],
      include: [],
    }),
  );
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config]);
}, LIMIT_MS);
afterAll(() => rmSync(output, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function crash(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(output, 'test/sim/main.js'), ...args],
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

describe('what makes no sense', () => {
  it.each([
    [['--seed', 'x'], /--seed.*integer/],
    [['--seed', '-1'], /--seed.*integer/],
    [['--runs', '1.5'], /--runs.*integer/],
    [['--runs', '0'], /--runs.*integer/],
    [['--minutes', 'long'], /--minutes.*number of minutes/],
    [['--minutes', '1', '--runs', '5'], /cannot be used with/],
    [['--jobs', '0'], /--jobs.*integer/],
    [['--only', 'everything'], /--only.*log, store, damage/],
    [['--exhaustive'], /--exhaustive needs --only damage/],
    [['--fast'], /unknown option '--fast'/],
    [['100'], /too many arguments/],
    [['--replay', 'abc'], /'abc' is no token/],
    [['--replay', 'log/1/2'], /is no token of the log campaign/],
    [['--replay', 'log/1/1/999999/kill'], /life 1 goes from/],
    [['--replay', 'log/1/1/30/cut:n.n.n.n.n.n.n.n.n.n'], /no crash|names no/],
    [['--replay', 'store/nowhere'], /names no state/],
    [['--replay', 'damage/closed-small/1/melt:manifest'], /'melt:manifest' is no damage/],
  ])('%j ends with 2 and says why', { timeout: LIMIT_MS }, async (args, message) => {
    const { code, stderr } = await crash(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('a tiny run', () => {
  it('says what it did', { timeout: LIMIT_MS }, async () => {
    const { code, stdout, stderr } = await crash('--runs', '300', '--jobs', '2', '--only', 'log');
    expect(stderr).not.toMatch(/again:/);
    expect(code).toBe(0);
    expect(stdout).toMatch(/campaign +runs +states +distinct/);
    expect(stdout).toMatch(/log +\d/);
  });

  it('of all campaigns, as JSON; the same seed finds the same', { timeout: LIMIT_MS }, async () => {
    const args = ['--runs', '200', '--jobs', '1', '--seed', '4', '--json'];
    const [one, other] = await Promise.all([crash(...args), crash(...args)]);
    expect([one.code, one.stderr.includes('again:')]).toEqual([0, false]);
    const read = ({ stdout }: Ended): Record<string, Record<string, unknown>> =>
      (JSON.parse(stdout) as { campaigns: Record<string, Record<string, unknown>> }).campaigns;
    expect(Object.keys(read(one))).toEqual(['log', 'store', 'damage', 'all']);
    expect(read(one)['log']?.['distinct']).toBeGreaterThanOrEqual(170);
    expect({ ...read(one)['log'], durationMs: 0 }).toEqual({
      ...read(other)['log'],
      durationMs: 0,
    });
  });

  it('--replay has a state again', { timeout: LIMIT_MS }, async () => {
    const { code, stdout } = await crash('--replay', 'log/1/1/20/kill');
    expect([code, stdout]).toEqual([0, 'nothing is wrong with it\n']);
  });

  it('--help says what may be asked', { timeout: LIMIT_MS }, async () => {
    const { code, stdout } = await crash('--help');
    expect(code).toBe(0);
    for (const option of ['--runs', '--minutes', '--seed', '--only', '--jobs', '--replay'])
      expect(stdout).toContain(option);
  });
});
