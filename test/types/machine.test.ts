/**
 * Runs the compiler over machine.test-d.ts, and over a machine as large as one is likely to get: what
 * the types cost is counted in instantiations, which do not depend on the computer.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Compiled with the settings beside it. */
const CASES = new URL('./machine.test-d.ts', import.meta.url);
const ENTRY = here('../../src/machine/index.ts');

/** Runs tsc and gives back its output and exit code. */
function compile(...options: string[]): Promise<{ output: string; code: unknown }> {
  const tsc = here('../../node_modules/typescript/bin/tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, ...options], (error, output) => {
      resolve({ output, code: error?.code ?? 0 });
    });
  });
}

/** A ring of states with rules across it, typed, as a literal in a source file. */
function largeMachine(stateCount: number, ruleCount: number, lastTo = 's1'): string {
  const states = Array.from({ length: stateCount }, (_, i) => `'s${i}'`);
  const rules = Array.from({ length: ruleCount }, (_, i) => {
    const lap = Math.floor(i / stateCount);
    const to = i === ruleCount - 1 ? lastTo : `s${(i * 7 + lap + 1) % stateCount}`;
    const guard = i % 3 === 0 ? `, guard: 'ctx.total > ${i}'` : '';
    const from = i % 5 === 0 ? `['s${i % stateCount}']` : `'s${i % stateCount}'`;
    return `    { from: ${from}, event: 'E${lap}x${i % 40}', to: '${to}'${guard} },`;
  });
  return `import { defineMachine, type EventOf, type StateOf } from ${JSON.stringify(ENTRY)};
export const large = defineMachine({
  types: {} as { context: { total: number }; events: { E0x1: { total: number } } },
  name: 'large', version: 1, initial: 's0',
  states: [${states.join(', ')}],
  transitions: [
${rules.join('\n')}
  ],
  timeouts: [{ state: 's2', after: '1h', event: 'E0x2' }],
});
export const state: StateOf<typeof large> = 's${stateCount - 1}';
export const event: EventOf<typeof large> = 'E0x1';
`;
}

/** Compiles one source under the project's settings. */
async function compileSource(source: string): Promise<{ output: string; code: unknown }> {
  const directory = await mkdtemp(join(tmpdir(), 'pawl-types-'));
  try {
    const config = {
      extends: here('../../tsconfig.json'),
      compilerOptions: {
        rootDir: '/',
        noEmit: true,
        declaration: false,
        declarationMap: false,
        isolatedDeclarations: false,
        types: [],
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: false,
      },
      files: ['large.mts'],
      include: [],
    };
    await writeFile(join(directory, 'large.mts'), source);
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    return await compile('-p', directory, '--extendedDiagnostics');
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('the types of machines', () => {
  it('accept and refuse what test/types/machine.test-d.ts says', { timeout: 60_000 }, async () => {
    const { output, code } = await compile('-p', here('tsconfig.json'), '--listFiles');
    const compiled = output.split('\n').filter((line) => line.endsWith(basename(CASES.pathname)));
    expect(compiled).toHaveLength(1);
    expect(output).not.toContain('error TS');
    expect(code).toBe(0);
  });

  it('cost little for 400 states and 3,000 transitions', { timeout: 60_000 }, async () => {
    const { output, code } = await compileSource(largeMachine(400, 3000));
    expect(code).toBe(0);
    const instantiations = Number(/Instantiations:\s+(\d+)/.exec(output)?.[1]);
    expect(instantiations).toBeGreaterThan(1000);
    expect(instantiations).toBeLessThan(60_000);
  });

  it('find the one wrong state among them', { timeout: 60_000 }, async () => {
    const { output, code } = await compileSource(largeMachine(400, 3000, 's400'));
    expect(code).not.toBe(0);
    expect(output).toMatch(/large\.mts\(3006,\d+\): error TS\d+: Type '"s400"' is not assignable/);
  });
});
