/**
 * The campaigns can fail: each planted bug is caught by the one that is there for it, and the same
 * campaign finds nothing in a copy without a bug. Needs the build (`npm run build:sim`).
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLANTED_BUGS, type PlantedBug } from './bugs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = join(ROOT, 'dist');
/** Far more than any of them took so far. */
const STATES = { log: 8000, store: 6000, damage: 60_000 };

let workshop = '';
beforeAll(() => {
  if (!existsSync(join(DIST, 'test/sim/main.js'))) throw new Error('not built: npm run build:sim');
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  workshop = mkdtempSync(join(ROOT, '.tmp', 'planted-'));
});
afterAll(() => rmSync(workshop, { recursive: true, force: true }));

interface Verdict {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs a campaign on a copy of the build, with the bug in it. */
async function campaignWith(
  bug: Pick<PlantedBug, 'campaign' | 'changes' | 'seed'>,
  states: number,
): Promise<Verdict> {
  const copy = mkdtempSync(join(workshop, 'copy-'));
  cpSync(DIST, copy, { recursive: true });
  for (const { file, find, replace } of bug.changes) plant(join(copy, file), find, replace);
  const args = [
    '--only',
    bug.campaign,
    '--runs',
    `${states}`,
    '--seed',
    `${bug.seed ?? 1}`,
    '--jobs',
    '1',
  ];
  const child = spawn(process.execPath, [join(copy, 'test/sim/main.js'), ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => void (output += text));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  rmSync(copy, { recursive: true });
  return { exitCode, output };
}

function plant(path: string, find: string, replace: string): void {
  const source = readFileSync(path, 'utf8');
  const words = find.split(/\s+/).map((word) => word.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  const places = source.match(new RegExp(words.join('\\s+'), 'g')) ?? [];
  expect([find, places.length]).toEqual([find, 1]);
  writeFileSync(
    path,
    source.replace(places[0] as string, () => replace),
  );
}

describe('planted bugs', () => {
  it.each(['log', 'store', 'damage'] as const)(
    'none: the %s campaign is content',
    async (campaign) => {
      const { exitCode, output } = await campaignWith({ campaign, changes: [] }, 300);
      expect(exitCode, output).toBe(0);
    },
  );

  it.each(PLANTED_BUGS.map((bug) => [bug.faults, bug.name, bug] as const))(
    '%s caught: %s',
    { timeout: 600_000 },
    async (_faults, _name, bug) => {
      const { exitCode, output } = await campaignWith(bug, STATES[bug.campaign]);
      expect(exitCode, output).toBe(1);
      expect(output).toContain('--replay');
    },
  );
});
