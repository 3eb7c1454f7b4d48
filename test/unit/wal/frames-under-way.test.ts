/**
 * What happens to frames that are neither waiting nor done: held by a slow sink, on their way when
 * something else fails, or written by a writer that is told to end in the middle of it.
 */
import { describe, expect, it } from 'vitest';
import type { FileIo } from '../../../src/base/file-io.ts';
import { DirectoryWatch } from '../../../wal/directory-watch.ts';
import type { Frame } from '../../../wal/frame-queue.ts';
import type { LogWriterOptions } from '../../../wal/options.ts';
import { Driver, ManualThread, type Ticket, openDriver, scanDriver, turns } from './log-driver.ts';
import { WatchedIo } from './public-fixture.ts';
import { SimDisk } from 'pawl/testing';
import { changedIo, osError } from './sim-fixture.ts';

const DB = '/db';
/** Four records of this size fill a frame. */
const LARGE = 60_000;

/** Keeps each frame until it is told to go on, as an engine does that applies in slices. */
class SlowSink extends Driver {
  readonly reported: number[] = [];
  private kept: Frame<Ticket> | undefined;

  override accepted(frame: Frame<Ticket>): void {
    if (this.kept !== undefined) throw new Error('reported before the last one was released');
    this.reported.push(frame.firstOffset);
    this.kept = frame;
  }

  get isHolding(): boolean {
    return this.kept !== undefined;
  }

  goOn(): void {
    const frame = this.kept as Frame<Ticket>;
    this.kept = undefined;
    super.accepted(frame);
  }
}

async function openSlow(
  disk: SimDisk,
  options: Partial<LogWriterOptions<Ticket>> = {},
): Promise<SlowSink> {
  const sink = new SlowSink();
  sink.recordBytes = LARGE;
  const { writer } = await openDriver(disk.fileIo, DB, { sink, segmentBytes: 1 << 20, ...options });
  sink.writer = writer;
  return sink;
}

const outcomes = (results: readonly PromiseSettledResult<number>[]): unknown[] =>
  results.map((result) =>
    result.status === 'fulfilled'
      ? 'done'
      : (result.reason as { details: { outcome: unknown } }).details.outcome,
  );

describe('a sink that takes its time', () => {
  it('D-4 is told of the next frame only after release, though that is on the disk already', async () => {
    const disk = SimDisk.of();
    const sink = await openSlow(disk);
    const commits = Array.from({ length: 16 }, () => sink.commit());
    await turns();
    // The second frame is written and synced while the first one is applied.
    expect([sink.reported, sink.writer.acceptedOffset]).toEqual([[1], 4]);
    expect(sink.writer.durableOffset).toBeGreaterThan(4);
    while (sink.isHolding) {
      const before = sink.reported.length;
      sink.goOn();
      // What was ready is reported at once, and no more than that.
      expect(sink.reported.length - before).toBeLessThanOrEqual(1);
      await turns();
    }
    expect(await Promise.all(commits)).toHaveLength(16);
    expect(sink.reported).toEqual(sink.reported.toSorted((a, b) => a - b));
    await sink.writer.close();
    expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(16);
  });

  it('F-33 keeps the frame it was given when the one behind it fails', async () => {
    const disk = SimDisk.of();
    const sink = await openSlow(disk);
    let writes = 0;
    disk.fault = (call, path) =>
      call === 'write' && path.endsWith('.wal') && ++writes === 2 ? osError('EIO') : undefined;
    const all = Promise.allSettled(Array.from({ length: 16 }, () => sink.commit()));
    await turns();
    expect(sink.failures).toEqual([
      { outcome: 'unknown', tickets: 4 },
      { outcome: 'not-done', tickets: 8 },
    ]);
    expect(sink.reported).toEqual([1]);
    sink.goOn();
    expect(outcomes(await all)).toEqual([
      ...Array(4).fill('done'),
      ...Array(4).fill('unknown'),
      ...Array(8).fill('not-done'),
    ]);
    expect([sink.isHolding, sink.failures.length]).toEqual([false, 2]);
    await sink.writer.close();
    disk.fault = undefined;
    expect((await scanDriver(disk.fileIo, DB)).records).toBe(4);
  });
});

describe('a failure', () => {
  it('F-33 F-53 leaves what is written and not reported yet unreported', async () => {
    const disk = SimDisk.of();
    const thread = new ManualThread();
    const sink = await openSlow(disk, { thread });
    const all = Promise.allSettled(Array.from({ length: 12 }, () => sink.commit()));
    await turns();
    expect([sink.reported, sink.writer.durableOffset]).toEqual([[1], 8]);
    disk.isHeld = false;
    thread.fire();
    await turns();
    sink.goOn();
    const told = outcomes(await all);
    expect(told).toEqual(['done', 'unknown', 'not-done'].flatMap((one) => Array(4).fill(one)));
    expect([sink.reported, sink.isHolding]).toEqual([[1], false]);
    await sink.writer.close();
  });

  it('F-32 is not undone by a sync that succeeds after it', async () => {
    const { disk, io, ...gate } = gated();
    const { driver, writer } = await openDriver(io, DB, { durability: 'os' });
    await driver.commit();
    gate.hold();
    const flushed = writer.flush();
    disk.fault = (call) => (call === 'write' ? osError('EIO') : undefined);
    await expect(driver.commit()).rejects.toMatchObject({ details: { outcome: 'unknown' } });
    await expect(flushed).rejects.toMatchObject({ code: 'WAL_IO_ERROR' });
    // Closing waits for the sync that is on its way, and tells nobody that it succeeded.
    let isClosed = false;
    const closed = writer.close().then(() => (isClosed = true));
    await turns();
    expect(isClosed).toBe(false);
    gate.letGo();
    await closed;
    expect([driver.synced$, driver.failures.length]).toEqual([0, 2]);
  });

  it('F-33 of a mark stops the log, and takes nothing back', async () => {
    const disk = SimDisk.of();
    const thread = new ManualThread();
    const { driver, writer } = await openDriver(disk.fileIo, DB, { thread });
    await driver.commit();
    disk.fault = (call) => (call === 'write' ? osError('EIO') : undefined);
    thread.fire();
    await turns();
    disk.fault = undefined;
    await expect(driver.commit()).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { outcome: 'not-done', errno: 'EIO', reopen: true },
    });
    const entries = disk.journal.length;
    await writer.close();
    expect(disk.journal.slice(entries).filter((entry) => entry.kind === 'write')).toEqual([]);
    expect((await openDriver(disk.fileIo, DB)).replayed).toBe(1);
  });

  it('F-33 F-53 is told once, whatever is found out afterwards', async () => {
    const disk = SimDisk.of();
    const thread = new ManualThread();
    const { io, answer } = withHeldAnswer(disk.fileIo);
    const { driver, writer } = await openDriver(io, DB, { thread });
    await driver.commit();
    thread.fire();
    disk.fault = (call) => (call === 'write' ? osError('EIO') : undefined);
    await expect(driver.commit()).rejects.toMatchObject({ details: { errno: 'EIO' } });
    answer(false);
    await turns();
    expect(driver.failures).toHaveLength(2);
    await expect(driver.commit()).rejects.toMatchObject({ details: { errno: 'EIO' } });
    await writer.close();
  });
});

describe('a directory that is lost', () => {
  it('F-53 before the first segment is ready stops a log that has written nothing', async () => {
    const disk = SimDisk.of();
    const first = await openDriver(disk.fileIo, DB);
    await first.driver.commit();
    await first.writer.close();
    disk.isHeld = false;
    const names = [...disk.files().keys()];
    const { driver, writer, replayed } = await openDriver(disk.fileIo, DB);
    expect(replayed).toBe(1);
    await expect(driver.commit()).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { outcome: 'not-done' },
    });
    await writer.close();
    // Nothing was put into what stands there now.
    expect([...disk.files().keys()]).toEqual(names);
  });

  it('F-53 is told to nobody once the log has ended', async () => {
    const told: Error[] = [];
    let answer = (_isHeld: boolean): void => undefined;
    const isHeld = (): Promise<boolean> => new Promise((resolve) => (answer = resolve));
    const watch = new DirectoryWatch(new ManualThread(), DB, isHeld);
    watch.onLost = (error) => told.push(error);
    const early = watch.look();
    answer(false);
    expect(await early).toMatchObject({ code: 'WAL_IO_ERROR', details: { path: DB } });
    expect(told).toEqual([await early]);
    const late = watch.look();
    watch.stop();
    answer(false);
    expect(await late).toMatchObject({ code: 'WAL_IO_ERROR' });
    expect(told).toHaveLength(1);
  });
});

describe('closing', () => {
  it.each(['os', { everyRecords: 3 }] as const)(
    'from inside the report of a frame, at %j, writes everything that was taken in',
    async (durability) => {
      const disk = SimDisk.of();
      const { driver, writer } = await openDriver(disk.fileIo, DB, { durability });
      driver.recordBytes = 700;
      let closing: Promise<void> | undefined;
      driver.onAck = () => void (closing ??= writer.close());
      const commits = Array.from({ length: 20 }, () => driver.commit().catch(() => undefined));
      const done = (await Promise.all(commits)).filter((offset) => offset !== undefined).length;
      await closing;
      expect(done).toBeGreaterThan(1);
      expect(disk.isLocked).toBe(false);
      expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(done);
    },
  );

  it('refuses a commit decided before it, and a truncation', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, DB);
    await driver.commit();
    writer.admit();
    const closed = writer.close();
    const refused = expect.objectContaining({ code: 'STORE_CLOSED' }) as Error;
    expect(() => writer.checkRoom()).toThrow(refused);
    await expect(writer.truncateBefore(1)).rejects.toEqual(refused);
    await closed;
  });
});

describe('flush', () => {
  it('WAL-2 of the same records is one wait, however many ask', async () => {
    const { io, ...gate } = gated();
    const { driver, writer } = await openDriver(io, DB, { durability: 'os' });
    await driver.commit(3);
    gate.hold();
    const first = writer.flush();
    expect(writer.flush()).toBe(first);
    await driver.commit();
    const second = writer.flush();
    expect(second).not.toBe(first);
    gate.letGo();
    expect(await first).toBe(3);
    expect(await second).toBe(4);
    await writer.close();
  });
});

describe('the bytes of the layer above', () => {
  it('F-28 are in both slots of the manifest in turn, and found again', async () => {
    const disk = SimDisk.of();
    const first = await openDriver(disk.fileIo, DB);
    expect(first.writer.manifestExtra).toEqual(new Uint8Array(0));
    await first.writer.setManifestExtra(Uint8Array.of(1, 2, 3));
    await first.driver.commit();
    await first.writer.setManifestExtra(Uint8Array.of(4, 5));
    const cut = disk.crash(disk.journal.length, () => false);
    expect((await openDriver(cut.fileIo, DB)).writer.manifestExtra).toEqual(Uint8Array.of(4, 5));
    await expect(first.writer.setManifestExtra(new Uint8Array(4033))).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
    });
    await first.writer.close();
    const { writer } = await openDriver(disk.fileIo, DB);
    expect(writer.manifestExtra).toEqual(Uint8Array.of(4, 5));
    await writer.close();
  });
});

interface Gated {
  readonly disk: SimDisk;
  readonly io: FileIo;
  readonly hold: () => void;
  readonly letGo: () => void;
}

/** Syncs do not begin until let go. */
function gated(): Gated {
  const watched = new WatchedIo();
  const { disk, io } = watched;
  return { disk, io, hold: () => watched.hold(), letGo: () => watched.letGo() };
}

/** The first question whether the directory is still ours, once the log is open, waits for `answer`. */
function withHeldAnswer(io: FileIo): { io: FileIo; answer: (isHeld: boolean) => void } {
  let resolve = (_isHeld: boolean): void => undefined;
  const question = new Promise<boolean>((settle) => (resolve = settle));
  let asked = 0;
  const held: FileIo = changedIo(io, {
    async lockDirectory(path) {
      const lock = await io.lockDirectory(path);
      if ('heldBy' in lock) return lock;
      return { ...lock, isHeld: () => (++asked === FIRST_LOOK ? question : lock.isHeld()) };
    },
  });
  return { io: held, answer: (isHeld) => resolve(isHeld) };
}
/** Preparing the second segment asks once; the watch asks after that. */
const FIRST_LOOK = 2;
