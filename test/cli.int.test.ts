/** The built command as people run it: a process with pipes, signals and exit codes. */
import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleStore, temporaryDirectory } from './unit/cli/fake-shell.ts';

const COMMAND = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function pawl(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : (error.code as number | null), out, err });
    });
  });
}

function shell(script: string): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE: process.execPath, PAWL: COMMAND };
    execFile('bash', ['-c', script], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : (error.code as number | null), out, err });
    });
  });
}

let root: string;
let store: string;
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ path: root, remove } = await temporaryDirectory());
  store = join(root, 'store');
  await sampleStore(store);
});
afterAll(() => remove());

describe('the command', () => {
  it('CLI-2 has results on stdout, messages on stderr, and exit codes', async () => {
    const inspected = await pawl('inspect', store, '--format', 'json');
    expect([inspected.code, inspected.err]).toEqual([0, '']);
    expect(JSON.parse(inspected.out)).toMatchObject({ ok: true, lastOffset: 11 });
    expect(await pawl('verify', store)).toMatchObject({ code: 0, err: '' });
    expect(await pawl('verify', join(root, 'nothing'))).toMatchObject({ code: 3, out: '' });
    expect(await pawl('dump', store, '--format', 'yaml')).toMatchObject({ code: 2, out: '' });
    expect(await pawl()).toMatchObject({ code: 2, out: '' });
    expect(await pawl('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\./),
    });
  });

  it('writes no colours into a pipe', async () => {
    const { out } = await pawl('inspect', store);
    expect(out).not.toContain('\u001B');
  });

  it('a reader that goes away is no failure', async () => {
    const script =
      '"$NODE" "$PAWL" dump "$0" --format ndjson | head -c 10 >/dev/null; echo "${PIPESTATUS[0]}"';
    const piped = await shell(script.replace('$0', store));
    expect([piped.out, piped.err]).toEqual(['0\n', '']);
    const closed = await shell(`"$NODE" "$PAWL" dump "${store}" | true; echo "\${PIPESTATUS[0]}"`);
    expect([closed.out, closed.err]).toEqual(['0\n', '']);
  });

  it('a damaged store: 1 and no stack trace; repaired with --yes', async () => {
    const damaged = join(root, 'damaged');
    await sampleStore(damaged);
    const path = join(damaged, '00000001.wal');
    const bytes = await readFile(path);
    bytes[bytes.indexOf('bob')] = 0;
    await writeFile(path, bytes);
    const dumped = await pawl('dump', damaged);
    expect(dumped.code).toBe(1);
    expect(dumped.err).toMatch(/^CORRUPT {2}/);
    expect(dumped.err).not.toMatch(/\n\s+at /);
    expect((await pawl('repair', damaged)).code).toBe(2);
    expect((await pawl('repair', damaged, '--yes')).code).toBe(0);
    expect((await pawl('verify', damaged)).code).toBe(0);
  });

  it('--watch ends with 0 at Ctrl-C', async () => {
    const child = spawn(process.execPath, [
      COMMAND,
      'inspect',
      store,
      '--watch',
      '--format',
      'ndjson',
    ]);
    let out = '';
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
    await expect.poll(() => out, { timeout: 20_000 }).toContain('\n');
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });
});
