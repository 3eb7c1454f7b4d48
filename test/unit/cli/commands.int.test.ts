/** The commands on real stores, sound, damaged, locked and absent. */
import { cp, mkdir, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scheduler } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseReading } from '../../../src/cli/live.ts';
import { openLog } from '../../../wal/index.ts';
import { openStore } from '../../../src/engine/open-store.ts';
import { fromJson } from '../../../src/value/json.ts';
import {
  SALE_AT,
  fakeShell,
  order,
  pawl,
  sampleStore,
  steppingClock,
  temporaryDirectory,
} from './fake-shell.ts';

let root: string;
let store: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  ({ path: root, remove } = await temporaryDirectory());
  store = join(root, 'store');
  await sampleStore(store);
});

afterEach(() => remove());

type Json = Record<string, unknown>;

async function contents(directory: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path, (await readFile(path)).toString('hex'));
  }
  return files;
}

/** Byte of the file where the frame of a record starts, found by its text. */
async function damage(file: string, text: string): Promise<void> {
  const path = join(store, file);
  const bytes = await readFile(path);
  const at = bytes.indexOf(text);
  expect(at).toBeGreaterThan(0);
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes);
}

describe('inspect', () => {
  it('a lock that cannot be read is an error of the disk, not a defect', async () => {
    const lock = join(store, 'lock');
    await rm(lock, { force: true });
    await mkdir(lock);
    const { code, err } = await pawl(['inspect', store, '--format', 'json']);
    expect(code).toBeGreaterThan(0);
    expect(fromJson(err)).toMatchObject({ error: { code: 'WAL_IO_ERROR' } });
  });

  it('shows machines, states, segments and what recovery would find, as one document', async () => {
    const { code, out, err } = await pawl(['inspect', store, '--format', 'json']);
    expect([code, err]).toEqual([0, '']);
    const view = fromJson(out) as Json;
    expect(view).toMatchObject({
      location: store,
      ok: true,
      formatVersion: 1,
      writer: null,
      firstOffset: 1,
      lastOffset: 11,
      instances: { living: 3, deleted: 1 },
      idempotencyKeys: 2,
      problems: [],
      recovery: { bytesTruncated: 0, recordsInDoubt: 0, recordsNotShown: 0, lost: null },
    });
    const states = [
      { state: 'created', count: 0 },
      { state: 'paid', count: 2 },
      { state: 'shipped', count: 1 },
    ];
    const version = { version: 3, hidden: false, living: 3, deleted: 1, states };
    expect(view['machines']).toEqual([
      { name: 'order', indexes: ['customer'], versions: [version] },
    ]);
    const segments = view['segments'] as {
      firstOffset: number;
      lastOffset: number;
      bytes: number;
    }[];
    expect(segments.map((one) => [one.firstOffset, one.lastOffset])).toEqual([[1, 11]]);
    const files = await contents(store);
    const bytes = [...files.values()].reduce((sum, text) => sum + text.length / 2, 0);
    expect(view['disk']).toEqual({ bytes, files: files.size });
  });

  it('shows the same to people, with a bar for every state', async () => {
    const { code, out, err } = await pawl(['inspect', store]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('records    1 to 11, the last one written 2026-01-02 03:04:');
    expect(out).toContain('order v3  3 living, 1 deleted, indexed by customer');
    expect(out).toMatch(/^ {2}paid {5}2 {3}66\.7 % {2}█{30}$/m);
    expect(out).toMatch(/^ {2}shipped {2}1 {3}33\.3 % {2}█{15}$/m);
    expect(out).toMatch(/^ {2}created {2}0$/m);
    expect(out).not.toContain('NOTES');
  });

  it('reads a live store without its lock, and says who has it', async () => {
    const live = await openStore(store, { clock: steppingClock() });
    const orders = await live.machine(order);
    await orders.create({ id: 'o-5', context: { customer: 'eve', serial: 1n } });
    const view = fromJson((await pawl(['inspect', store, '--format', 'ndjson'])).out) as Json;
    expect(view).toMatchObject({ ok: true, writer: { pid: process.pid }, lastOffset: 12 });
    expect(await chooseReading(store)).toEqual({
      writer: { pid: process.pid },
      deliver: 'attested',
    });
    await orders.create({ id: 'o-6', context: { customer: 'eve', serial: 1n } });
    await live.close();
  });

  it('of a live writer below always, shows what is written and says that it may not be synced', async () => {
    const live = await openStore(store, { clock: steppingClock(), durability: 'os' });
    const orders = await live.machine(order);
    await orders.create({ id: 'o-5', context: { customer: 'eve', serial: 1n } });
    const view = fromJson((await pawl(['inspect', store, '--format', 'json'])).out) as Json;
    expect(view).toMatchObject({ lastOffset: 12, recovery: { recordsInDoubt: 1 } });
    await live.close();
  });

  it('shows what can be read of a damaged store, and ends with 1', async () => {
    await damage('00000001.wal', 'cyd');
    const { code, out } = await pawl(['inspect', store, '--format', 'json']);
    expect(code).toBe(1);
    const lost = { first: 4, last: 11 };
    expect(fromJson(out)).toMatchObject({ ok: false, lastOffset: 3, recovery: { lost } });
    const { out: text } = await pawl(['inspect', store]);
    expect(text).toContain('DAMAGED');
    expect(text).toMatch(
      /00000001\.wal +[\d,]+ +4 {2}a frame that was synced does not verify|a frame does not verify/,
    );
  });

  it('F-26 lists files that are none of the store’s', async () => {
    await writeFile(join(store, 'notes.txt'), 'mine');
    const { out } = await pawl(['inspect', store]);
    expect(out).toContain('no business of the store: notes.txt');
  });

  it('--watch shows it again when files change, one line each, until it is interrupted', async () => {
    let interrupt = (): void => undefined;
    const shell = fakeShell({ onInterrupt: (stop) => void (interrupt = stop) });
    const watching = pawl(['inspect', store, '--watch', '--format', 'ndjson'], shell);
    const lines = (): string[] => shell.written.out.split('\n').slice(0, -1);
    await expect.poll(lines, { timeout: 10_000 }).toHaveLength(1);
    const live = await openStore(store, { clock: steppingClock() });
    const orders = await live.machine(order);
    // Watching begins a moment after the first view: what changes goes on until it is noticed.
    await expect
      .poll(
        async () => {
          await orders.create({ context: { customer: 'new', serial: 0n } });
          return (fromJson(lines().at(-1) as string) as Json)['lastOffset'];
        },
        { timeout: 20_000, interval: 100 },
      )
      .toBeGreaterThan(11);
    await live.close();
    // Nothing in these changes what is shown.
    for (let i = 0; i < 3; i++) {
      await utimes(join(store, 'manifest'), i, i);
      await scheduler.wait(300);
    }
    interrupt();
    expect((await watching).code).toBe(0);
    expect(new Set(lines()).size).toBe(lines().length);
  });
});

describe('verify', () => {
  it('a log without a store is not called damaged: nothing of it is', async () => {
    const log = await openLog(join(root, 'log'));
    await log.append(Buffer.from('not a record of a store'));
    await log.close();
    const { code, out, err } = await pawl(['verify', join(root, 'log')]);
    expect(code).toBe(1);
    expect(out).toMatch(/^UNSUPPORTED .*\n.*from record 1 on/);
    expect(err).toMatch(/nothing here is damaged/);
  });

  it('WAL-5 is 0 for a sound store and changes nothing', async () => {
    const before = await contents(store);
    const { code, out } = await pawl(['verify', store, '--format', 'json']);
    expect(code).toBe(0);
    expect(fromJson(out)).toMatchObject({ ok: true, lastOffset: 11, records: 11, problems: [] });
    expect(await contents(store)).toEqual(before);
    expect((await pawl(['verify', store])).out).toMatch(
      /^ok {2}.*: records 1 to 11 in 1 segment, /,
    );
  });

  it('WAL-5 is 1 for a damaged one, and names file, byte and record', async () => {
    await damage('00000001.wal', 'cyd');
    const { code, out } = await pawl(['verify', store, '--format', 'json']);
    expect(code).toBe(1);
    const { problems, ...rest } = fromJson(out) as Json;
    expect(rest).toMatchObject({ ok: false, lastOffset: 3, lost: { first: 4, last: 11 } });
    expect(problems).toMatchObject([
      { code: 'CORRUPT', details: { file: '00000001.wal', offset: 4 } },
    ]);
    const { out: text, err } = await pawl(['verify', store]);
    expect(text).toContain('records 4 to 11 cannot be read, or follow one that cannot');
    expect(text).toMatch(/^FILE +BYTE +RECORD +PROBLEM$/m);
    expect(err).toContain('--dry-run');
  });

  it('tells how far it is on a terminal, and nowhere else', async () => {
    expect((await pawl(['verify', store])).err).toBe('');
    const { err } = await pawl(['verify', store], fakeShell({ isTerminal: true, columns: 80 }));
    // So small a store is read before there is anything to tell.
    expect(err).toBe('');
  });
});

describe('repair', () => {
  beforeEach(() => damage('00000001.wal', 'cyd'));

  it('F-31 --dry-run says what it would do and changes nothing', async () => {
    const before = await contents(store);
    const { code, out } = await pawl(['repair', store, '--dry-run', '--format', 'json']);
    expect(code).toBe(0);
    const plan = {
      dryRun: true,
      damaged: true,
      lastOffset: 3,
      lost: { first: 4, last: 11 },
      savedTo: '',
    };
    expect(fromJson(out)).toMatchObject(plan);
    expect(await contents(store)).toEqual(before);
  });

  it('CLI-2 does nothing without --yes where nobody can be asked: exit code 2', async () => {
    const before = await contents(store);
    const { code, out, err } = await pawl(['repair', store]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('--yes');
    expect(await contents(store)).toEqual(before);
  });

  it.each(['n', '', 'yess'])('does nothing when the answer is %j', async (answer) => {
    const before = await contents(store);
    const shell = fakeShell({ answer });
    const { code, err } = await pawl(['repair', store], shell);
    expect(code).toBe(1);
    expect(shell.questions).toHaveLength(1);
    expect(err).toContain('keep every record up to 3');
    expect(err).toContain('Nothing was changed.');
    expect(await contents(store)).toEqual(before);
  });

  it.each([['--yes'], []])('WAL-5 saves, repairs and says what was lost (%s)', async (...flags) => {
    const damaged = await readFile(join(store, '00000001.wal'));
    const shell = flags.length > 0 ? fakeShell() : fakeShell({ answer: 'y' });
    const { code, out } = await pawl(['repair', store, ...flags], shell);
    expect(code).toBe(0);
    expect(out).toContain('every record up to 3 is kept');
    expect(out).toContain('records 4 to 11');
    expect(await readFile(join(store, 'damaged-1', '00000001.wal'))).toEqual(damaged);
    expect((await pawl(['verify', store])).code).toBe(0);
    const again = await openStore(store, { clock: steppingClock() });
    expect(again.offset).toBe(3);
    const orders = await again.machine(order);
    expect(orders.get('o-2')?.context).toEqual({ customer: 'bob', serial: 2n ** 60n + 1n });
    await orders.create({ id: 'o-3', context: { customer: 'new', serial: 0n } });
    await again.close();
    expect((await pawl(['repair', store])).out).toContain('nothing to repair');
  });

  it('is 4 while a writer lives, and asks nobody', async () => {
    const sound = join(root, 'sound');
    await sampleStore(sound);
    const live = await openStore(sound);
    for (const name of ['00000001.wal', 'manifest']) await cp(join(store, name), join(sound, name));
    const shell = fakeShell({ answer: 'y' });
    const { code, err } = await pawl(['repair', sound, '--format', 'json'], shell);
    expect(code).toBe(4);
    expect(shell.questions).toEqual([]);
    expect(fromJson(err)).toMatchObject({
      error: { code: 'STORE_LOCKED', details: { pid: process.pid } },
    });
    await live.close();
  });
});

describe('dump', () => {
  const records = async (...args: string[]): Promise<Json[]> => {
    const { code, out, err } = await pawl(['dump', store, ...args, '--format', 'ndjson']);
    expect([code, err]).toEqual([0, '']);
    return out
      .split('\n')
      .slice(0, -1)
      .map((line) => fromJson(line) as Json);
  };

  it('shows every record with its names, commit and notes', async () => {
    const all = await records();
    expect(all.map((one) => one['offset'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(all[0]).toMatchObject({
      kind: 'define',
      machine: 'order',
      version: 3,
      definition: { initial: 'created' },
    });
    expect(all[2]).toMatchObject({
      kind: 'create',
      id: 'o-2',
      to: 'created',
      context: { customer: 'bob', serial: 2n ** 60n + 1n },
    });
    expect(all[5]).toEqual({
      offset: 6,
      commit: 6,
      time: all[5]?.['time'],
      kind: 'apply',
      machine: 'order',
      version: 3,
      id: 'o-1',
      event: 'PAY',
      from: 'created',
      to: 'paid',
      payload: { method: 'card' },
      at: SALE_AT,
      eventId: 'e-1',
      key: 'pay-1',
      actor: 'till',
      reason: 'sale',
    });
    expect(all[6]).toMatchObject({ event: 'SHIP', from: 'paid', to: 'shipped' });
    expect(all[6]).not.toHaveProperty('payload');
    expect(all[7]).toMatchObject({ kind: 'delete', id: 'o-4', from: 'created' });
    expect(all.slice(8).map((one) => [one['kind'], one['id'], one['commit']])).toEqual([
      ['apply', 'o-2', 11],
      ['apply', 'o-3', 11],
      ['outcome', undefined, 11],
    ]);
    expect(all[10]).toMatchObject({ key: 'both', value: { paid: 2 } });
  });

  it('--from and --limit choose, and names still come from before', async () => {
    const some = await records('--from', '7', '--limit', '2');
    expect(some.map((one) => [one['offset'], one['id'], one['event']])).toEqual([
      [7, 'o-1', 'SHIP'],
      [8, 'o-4', undefined],
    ]);
    expect(await records('--from', '12')).toEqual([]);
  });

  it('json is one list, also when it is empty', async () => {
    const { out } = await pawl(['dump', store, '--limit', '3', '--format', 'json']);
    expect(JSON.parse(out)).toHaveLength(3);
    const empty = await pawl(['dump', store, '--from', '99', '--format', 'json']);
    expect(JSON.parse(empty.out)).toEqual([]);
  });

  it('the table keeps commits together, and cuts lines for a terminal only', async () => {
    const { out } = await pawl(['dump', store, '--from', '8']);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(/^OFFSET +TIME +KIND +MACHINE +ID +EVENT +STATE +DATA$/);
    expect(lines.slice(1, 5).map((line) => line.slice(6, 10).trim())).toEqual(['', '┐', '│', '┘']);
    expect(lines[2]).toMatch(/apply +order v3 +o-2 +PAY +created → paid$/);
    expect(lines[4]).toContain('{"paid":2}  key=both');
    const narrow = await pawl(['dump', store], fakeShell({ isTerminal: true, columns: 60 }));
    expect(Math.max(...narrow.out.split('\n').map((line) => line.length))).toBe(60);
  });

  it('shows what comes before the damage, then the damage on stderr, and ends with 1', async () => {
    await damage('00000001.wal', 'cyd');
    const { code, out, err } = await pawl(['dump', store, '--format', 'ndjson']);
    expect(code).toBe(1);
    expect(
      out
        .split('\n')
        .slice(0, -1)
        .map((line) => (fromJson(line) as Json)['offset']),
    ).toEqual([1, 2, 3]);
    expect(fromJson(err)).toMatchObject({ error: { code: 'CORRUPT', details: { offset: 4 } } });
    expect((await pawl(['dump', store, '--limit', '2'])).code).toBe(0);
  });

  it('ends quietly when nobody reads any more', async () => {
    const shell = fakeShell({ isAbandoned: () => true });
    const { code, out, err } = await pawl(['dump', store, '--format', 'ndjson'], shell);
    expect([code, out, err]).toEqual([0, '', '']);
  });
});

describe('what is not a store', () => {
  it.each(['inspect', 'verify', 'dump', 'repair'])(
    '%s: NOT_FOUND is exit code 3',
    async (command) => {
      const { code, out, err } = await pawl([command, join(root, 'nothing')]);
      expect([code, out]).toEqual([3, '']);
      expect(err).toMatch(/^NOT_FOUND {2}/);
      expect(err).not.toMatch(/\n\s+at /);
      const empty = join(root, 'empty');
      await mkdir(empty);
      expect((await pawl([command, empty])).code).toBe(3);
      expect(await readdir(empty)).toEqual([]);
    },
  );

  it.each(['inspect', 'verify', 'dump', 'repair'])(
    '%s: a file is a usage error',
    async (command) => {
      const file = join(store, 'manifest');
      const { code, err } = await pawl([command, file, '--format', 'json']);
      expect(code).toBe(2);
      expect(fromJson(err)).toMatchObject({ error: { code: 'BAD_REQUEST' } });
    },
  );
});
