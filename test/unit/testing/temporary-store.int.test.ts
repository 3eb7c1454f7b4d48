/** A store that cleans up behind itself: on disposal, on failure, and when its process ends. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryStore } from 'pawl/testing';
import { DOOR } from '../engine/cases/contract.ts';

it('TST-1 keeps what was written over a reopening, and is gone when it is disposed of', async () => {
  let directory = '';
  {
    await using temporary = await temporaryStore({ segmentBytes: 4096 });
    ({ directory } = temporary);
    await temporary.store.machines.put(DOOR);
    await temporary.store.instances.create({ machine: 'door', id: 'd' });
    const before = temporary.store;
    const store = await temporary.reopen();
    expect([before.closed, store === temporary.store]).toEqual([true, true]);
    expect(store.instances.get('d')?.state).toBe('open');
    expect(existsSync(directory)).toBe(true);
  }
  expect(existsSync(directory)).toBe(false);
});

it('TST-1 may be disposed of twice, and leaves nothing when it cannot be opened', async () => {
  const temporary = await temporaryStore();
  await temporary.dispose();
  await temporary.dispose();
  const many = await Promise.all([1, 2, 3, 4].map(() => temporaryStore()));
  const listeners = process.listenerCount('exit');
  await expect(temporaryStore({ segmentBytes: 1 })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  const another = await temporaryStore();
  expect(process.listenerCount('exit')).toBe(listeners);
  for (const one of [...many, another]) await one.dispose();
});

it('TST-1 is removed when the process ends without disposing of it', async () => {
  const built = new URL('../../../dist/src/testing/index.js', import.meta.url).href;
  const program = `
    import { temporaryStore } from '${built}';
    const { directory } = await temporaryStore();
    console.log(directory);
    process.exit(0);`;
  const run = promisify(execFile);
  const flags = ['--input-type=module', '--eval', program];
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  const { stdout } = await run(process.execPath, flags, { cwd });
  const directory = stdout.trim();
  expect(directory).toMatch(/pawl-/);
  expect(existsSync(directory)).toBe(false);
});
