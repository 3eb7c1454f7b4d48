/** While a write or sync is on its way nobody is shown or told anything that rests on it: no reader here, none beside, no caller. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore, type ReadStore, type Store } from 'pawl';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { type CallKind, hookedIo, osError } from '../../crash/hooked-io.ts';
import { contentOf, DOOR, LAMP, refusalOf, settled } from './cases/contract.ts';
import { imageOf, stateOf, tracesOf } from './store-state.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-held-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A disk whose writes (or syncs) of segments in use can be held back. */
class SlowDisk {
  /** Calls that wait for `pass`. */
  held = 0;
  private kind: CallKind | undefined;
  private readonly named = new Set<string>();
  private gate: Promise<void> = Promise.resolve();
  private open: () => void = () => undefined;
  private failure: Error | undefined;
  readonly io;

  constructor(hasSyncedWrites: boolean) {
    const hooks = {
      before: (kind: CallKind, path: string): Error | undefined => {
        if (kind === 'rename') this.named.add(`${path}.new`);
        return kind === this.kind && this.named.has(path) ? this.failure : undefined;
      },
      hold: (kind: CallKind, path: string): Promise<void> | undefined => {
        if (kind !== this.kind || !this.named.has(path)) return undefined;
        this.held++;
        return this.gate;
      },
    };
    this.io = hookedIo(nodeFileIo, hooks, hasSyncedWrites);
  }

  hold(kind: CallKind): void {
    this.kind = kind;
    this.gate = new Promise((resolve) => (this.open = resolve));
  }

  /** Lets go of everything; from then on such calls pass, or fail. */
  release(failure?: Error): void {
    this.failure = failure;
    if (failure === undefined) this.kind = undefined;
    this.open();
  }
}

/** Turns, and time for marks and whatever else a timer does. */
async function longEnough(): Promise<void> {
  for (let i = 0; i < 15; i++) await new Promise((resolve) => setTimeout(resolve, 5));
}

function writesOf(store: Store): readonly (readonly [string, () => Promise<unknown>])[] {
  const { instances, machines } = store;
  return [
    ['apply', () => instances.apply('d', 'PUSH', { n: 1 }, { idempotencyKey: 'k' })],
    ['create', () => instances.create({ machine: 'door', id: 'e', context: { n: 2 } })],
    ['put', () => machines.put(LAMP)],
    ['indexes', () => machines.put({ ...DOOR, indexes: ['n'] })],
    ['transaction', () => store.transaction((tx) => void tx.instances.apply('e', 'PUSH'))],
    ['batch', () => store.batch([{ op: 'create', machine: 'lamp', id: 'l' }])],
    ['delete', () => instances.delete('gone')],
    // What follows rests on those above.
    ['replay', () => instances.apply('d', 'PUSH', { n: 1 }, { idempotencyKey: 'k' })],
    ['taken', () => refusalOf(() => instances.create({ machine: 'door', id: 'e' }))],
    ['guard', () => refusalOf(() => instances.apply('d', 'LOCK'))],
    ['read in a transaction', () => store.transaction((tx) => tx.instances.get('e')?.state)],
    ['thrown', () => refusalOf(() => store.transaction((tx) => tx.instances.delete('nobody')))],
    ['flush', () => store.flush()],
    ['reached', () => store.reached(store.offset + 1)],
  ];
}

async function prepared(disk: SlowDisk): Promise<Store> {
  const store = await openStore(directory, { fileIo: disk.io, blockingSync: false });
  await store.machines.put(DOOR);
  for (const id of ['d', 'gone']) await store.instances.create({ machine: 'door', id });
  await longEnough();
  return store;
}

async function beside(): Promise<unknown> {
  const reader: ReadStore = await openStore(directory, { readOnly: true });
  const image = imageOf(stateOf(reader));
  await reader.close();
  return image;
}

describe.each([
  ['write', true],
  ['write', false],
  ['sync', false],
] as const)('D-2 WAL-1 F-41 a held %s (synced writes: %s)', (kind, hasSyncedWrites) => {
  test('shows and tells nothing; then everything, in order', async () => {
    const disk = new SlowDisk(hasSyncedWrites);
    const store = await prepared(disk);
    const before = { image: imageOf(stateOf(store)), content: contentOf(store, ['e', 'l']) };
    expect(await beside()).toMatchObject({ digest: (before.image as { digest: string }).digest });
    disk.hold(kind);
    const order: string[] = [];
    const sent = writesOf(store).map(([name, call]) => call().then(() => order.push(name)));
    await longEnough();
    expect(disk.held).toBeGreaterThan(0);
    expect(order).toEqual([]);
    expect(contentOf(store, ['e', 'l'])).toEqual(before.content);
    expect(await beside()).toEqual(before.image);
    // The thread is free meanwhile, for reads and for further commands.
    expect(store.instances.can('d', 'PUSH')).toBe(true);
    disk.release();
    await settled(Promise.all(sent));
    const commits = ['apply', 'create', 'put', 'indexes', 'transaction', 'batch', 'delete'];
    expect(order.filter((name) => commits.includes(name))).toEqual(commits);
    for (const rests of ['replay', 'taken', 'guard', 'read in a transaction', 'thrown'])
      expect(order.indexOf(rests)).toBeGreaterThan(order.indexOf('apply'));
    expect(store.instances.count()).toBe(3);
    expect(tracesOf(store)).toMatchObject({ overlay: 0, created: 0, keys: 0, hasWaiting: false });
    await longEnough();
    expect(await beside()).toEqual(imageOf(stateOf(store)));
    await store.close();
  });

  test('and then fails: nothing of it was ever shown, and every caller is told', async () => {
    const disk = new SlowDisk(hasSyncedWrites);
    const store = await prepared(disk);
    const before = contentOf(store, ['e', 'l']);
    disk.hold(kind);
    const sent = Promise.allSettled(writesOf(store).map(([, call]) => call()));
    await longEnough();
    disk.release(osError('EIO'));
    const results = await settled(sent);
    const codes = results.map((one) =>
      one.status === 'rejected'
        ? (one.reason as { code: string }).code
        : (one.value as { code?: string } | undefined)?.code,
    );
    expect(codes).toEqual(codes.map(() => 'WAL_IO_ERROR'));
    expect(contentOf(store, ['e', 'l'])).toEqual(before);
    await settled(store.close());
  });
});
