/**
 * The main job as its users run it: the built demo on a slice of the real log, in processes of its
 * own. The comparison must be able to fail, so it is also held against a log that was tampered with.
 * Needs the build (`npm run build`).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const DEMO = fileURLToPath(new URL('../dist/docs/examples/traffic-fines/demo.js', import.meta.url));
const LOG = fileURLToPath(
  new URL('../docs/examples/data/traffic-fines.events.ndjson.gz', import.meta.url),
);

interface Run {
  readonly exitCode: number | null;
  readonly output: string;
}

/** The demo keeps its temporary files below `temporary`, so that what it leaves behind is seen. */
async function demo(temporary: string, ...args: string[]): Promise<Run> {
  const child = spawn(process.execPath, [DEMO, ...args], {
    env: { ...process.env, TMPDIR: temporary },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { exitCode, output };
}

function line(id: string, seq: number, activity: string, ts: string, attrs: object): string {
  return JSON.stringify({ case: id, seq, activity, ts, attrs });
}

describe('the demo', () => {
  let temporary = '';
  beforeEach(async () => {
    if (!existsSync(DEMO)) throw new Error('not built yet: npm run build');
    temporary = await mkdtemp(join(tmpdir(), 'pawl-test-'));
  });
  afterEach(() => rm(temporary, { recursive: true, force: true }));

  it('replays real cases through a SIGKILL, finds no difference and leaves nothing behind', async () => {
    const { exitCode, output } = await demo(temporary, '--cases', '300');
    expect(exitCode, output).toBe(0);
    expect(output).toContain('300 cases: state, context and times, no difference.');
    expect(output).toMatch(/Recovered [\d,]+ records? from \d+ segments?/);
    expect(output).toContain('all of them found');
    expect(output).not.toContain('\u001B');
    expect(await readdir(temporary)).toEqual([]);
  });

  it('fails and names the first differences when the fold is another one', async () => {
    const tampered = join(temporary, 'tampered.ndjson');
    const log = gunzipSync(await readFile(LOG)).toString();
    await writeFile(tampered, log.replace('"amount":"35.0"', '"amount":"36.0"'));
    const run = await demo(temporary, '--cases', '20', '--expect', tampered);
    expect(run.exitCode, run.output).toBe(1);
    expect(run.output).toContain('1 case differs.');
    expect(run.output).toContain("A2127 at context.amount: expected '36.0', stored '35.0'");
  });

  it('takes any log: equal and backward times, times before 1970, loops, odd names and values', async () => {
    const log = join(temporary, 'odd.ndjson');
    const long = 'é'.repeat(512);
    await writeFile(
      log,
      [
        line('a/b:c', 0, 'new', '1948-01-26T22:59:00.000Z', { n: -0, deep: [{ x: null }] }),
        line('__proto__', 0, long, '2020-01-02T00:00:00.000Z', { 'a.b': 1 }),
        line('a/b:c', 1, 'new', '1948-01-26T22:59:00.000Z', { deep: 'shallow' }),
        line(long, 0, 'new', '1969-12-31T23:59:59.999Z', { big: 2 ** 60, text: '\u2028' }),
        line('__proto__', 1, 'constructor', '2020-01-01T00:00:00.000Z', {}),
        line('a/b:c', 1, '(new)', '1948-01-25T00:00:00.000Z', { '.order': 1.5 }),
      ].join('\n'),
    );
    const { exitCode, output } = await demo(temporary, '--log', log, '--concurrency', '2');
    expect(exitCode, output).toBe(0);
    expect(output).toContain('3 cases: state, context and times, no difference.');
  });

  it('keeps a store it was told to keep, and does not start over an existing one', async () => {
    const directory = join(temporary, 'kept');
    const first = await demo(temporary, '--cases', '5', '--dir', directory);
    expect(first.exitCode, first.output).toBe(0);
    expect(await readdir(directory)).not.toEqual([]);
    const second = await demo(temporary, '--cases', '5', '--dir', directory);
    expect(second.exitCode, second.output).toBe(2);
    expect(second.output).toContain('not empty');
  });

  it.each(['0', '1'])('survives a kill at the very edge: --kill-at %s', async (share) => {
    const { exitCode, output } = await demo(temporary, '--cases', '50', '--kill-at', share);
    expect(exitCode, output).toBe(0);
  });

  it('answers wrong usage with the usage text and exit code 2', async () => {
    const { exitCode, output } = await demo(temporary, '--fast');
    expect(output).toMatch(/--fast[^]*Usage:/);
    expect(exitCode).toBe(2);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('says which file is missing', async () => {
    const { exitCode, output } = await demo(temporary, '--log', join(temporary, 'absent'));
    expect(output).toContain('absent');
    expect(exitCode).toBe(1);
    expect(await readdir(temporary)).toEqual([]);
  });
});
