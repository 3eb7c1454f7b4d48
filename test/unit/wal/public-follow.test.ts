/** Following: every record once, in order, at the pace of the follower. */
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KiB, MiB } from '../../../src/base/units.ts';
import type { FollowOptions, Log, LogRecord } from '../../../wal/index.ts';
import { segmentName } from '../../../wal/segment-name.ts';
import {
  check,
  codeOf,
  content,
  failureOf,
  fill,
  ones,
  openSim,
  SimDisk,
  turns,
  WatchedIo,
} from './public-fixture.ts';
import { flipAt } from './sim-fixture.ts';

/** Collects until the end; checks that nothing is missing, double, or different. */
async function collect(log: Log, options: FollowOptions = {}, until = Infinity): Promise<number[]> {
  const seen: number[] = [];
  for await (const record of log.follow(options)) {
    check(record);
    if (seen.length > 0 && record.offset !== (seen.at(-1) as number) + 1) {
      throw new Error(`${record.offset} after ${String(seen.at(-1))}`);
    }
    seen.push(record.offset);
    if (record.offset >= until) break;
  }
  return seen;
}

const upTo = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('follow', () => {
  it('WAL-7 gives what is there, then what comes, across files', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io);
    await fill(log, [...ones(60), 3]);
    const all = collect(log, { after: 0 });
    const some = collect(log, { after: 40 }, 90);
    const fresh = collect(log);
    const future = collect(log, { after: 100 });
    for (let i = 0; i < 60; i++) await fill(log, ones(1));
    await turns();
    await log.close();
    expect(await all).toEqual(upTo(1, 123));
    expect(await some).toEqual(upTo(41, 90));
    expect(await fresh).toEqual(upTo(64, 123));
    expect(await future).toEqual(upTo(101, 123));
    expect(log.stats()).toMatchObject({ followers: 0 });
    expect(watched.openForReading.size).toBe(0);
  });

  it('gives every record once however appends and pulls interleave', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ append: fc.integer({ min: 1, max: 30 }) }),
        fc.record({ pull: fc.integer({ min: 1, max: 25 }) }),
        fc.constant({ turns: 3 }),
      ),
      { minLength: 5, maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.constantFrom('always' as const, 'os' as const),
        async (list, durability) => {
          const log = await openSim(SimDisk.of().fileIo, { durability });
          const follower = log.follow({ after: 0 });
          const pulled: Promise<IteratorResult<LogRecord>>[] = [];
          let appended = 0;
          const appends: Promise<unknown>[] = [];
          for (const step of list) {
            if ('append' in step) {
              const records = upTo(appended + 1, appended + step.append).map((offset) =>
                content(offset),
              );
              appended += step.append;
              appends.push(log.appendMany(records));
            } else if ('pull' in step) {
              for (let i = 0; i < step.pull; i++) pulled.push(follower.next());
            } else await turns(step.turns);
          }
          await Promise.all(appends);
          await turns();
          await log.close();
          const results = await Promise.all(pulled);
          const given = results.flatMap((result) => (result.done === true ? [] : [result.value]));
          given.forEach(check);
          expect(given.map((record) => record.offset)).toEqual(
            upTo(1, Math.min(appended, pulled.length)),
          );
          expect(results.findIndex((result) => result.done)).toBe(
            appended < pulled.length ? appended : -1,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('answers calls in the order they were made, whenever they come', async () => {
    const log = await openSim(SimDisk.of().fileIo, { segmentBytes: 64 * KiB });
    await fill(log, [300]);
    for (let every = 1; every < 4; every++) {
      const follower = log.follow({ after: 0 });
      const pulled: Promise<IteratorResult<LogRecord>>[] = [];
      while (pulled.length < 300) {
        pulled.push(follower.next());
        if (pulled.length % every === 0) await Promise.resolve();
      }
      const offsets = (await Promise.all(pulled)).map(({ value }) => (value as LogRecord).offset);
      expect(offsets).toEqual(upTo(1, 300));
      await follower.return?.();
    }
    await log.close();
  });

  it('gives a commit larger than a page, each record of it once', async () => {
    const log = await openSim(SimDisk.of().fileIo, { segmentBytes: 4 * MiB });
    await fill(log, [2, 5000, 1]);
    expect(await collect(log, { after: 0 }, 5003)).toEqual(upTo(1, 5003));
    expect(await collect(log, { after: 3333 }, 5003)).toEqual(upTo(3334, 5003));
    const follower = log.follow({ after: 5001 });
    const { value } = (await follower.next()) as { value: LogRecord };
    expect([value.offset, value.endsCommit]).toEqual([5002, true]);
    await follower.return?.();
    await log.close();
  });

  it('WAL-2 at always shows nothing before it is synced', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io);
    await fill(log, [1]);
    const seen: number[] = [];
    const following = (async (): Promise<void> => {
      for await (const { offset } of log.follow({ after: 0 })) seen.push(offset);
    })();
    watched.hold();
    const append = log.append(content(2));
    await turns();
    expect(seen).toEqual([1]);
    watched.letGo();
    await append;
    await turns();
    expect(seen).toEqual([1, 2]);
    await log.close();
    await following;
  });

  it('reads only when asked: a follower that does not pull costs nothing and delays nobody', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io, { segmentBytes: 4 * MiB });
    const before = [watched.opened, watched.bytesRead];
    const follower = log.follow({ after: 0 });
    for (let i = 0; i < 10; i++) await fill(log, ones(1000));
    await turns();
    expect([watched.opened, watched.bytesRead]).toEqual(before);
    expect((await follower.next()).value).toMatchObject({ offset: 1 });
    await fill(log, ones(1000));
    await turns();
    expect(watched.opened).toBe((before[0] as number) + 1);
    expect(watched.bytesRead).toBeLessThan(700 * KiB);
    await follower.return?.();
    expect(watched.openForReading.size).toBe(0);
    await log.close();
  });
});

describe('a follower ends', () => {
  const waiting = async (): Promise<{
    log: Log;
    watched: WatchedIo;
    abort: AbortController;
    follower: AsyncIterableIterator<LogRecord>;
    next: Promise<IteratorResult<LogRecord>>[];
  }> => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io);
    await fill(log, ones(3));
    const abort = new AbortController();
    const follower = log.follow({ after: 2, signal: abort.signal });
    expect((await follower.next()).value).toMatchObject({ offset: 3 });
    const next = [follower.next(), follower.next()];
    await turns();
    return { log, watched, abort, follower, next };
  };
  const END = { value: undefined, done: true };

  it.each(['abort', 'return', 'close'] as const)(
    'without an error on %s, also while it waits',
    async (how) => {
      const { log, watched, abort, follower, next } = await waiting();
      if (how === 'abort') abort.abort();
      else if (how === 'return') expect(await follower.return?.()).toEqual(END);
      else await log.close();
      expect(await Promise.all(next)).toEqual([END, END]);
      expect(await follower.next()).toEqual(END);
      expect(await follower.return?.()).toEqual(END);
      expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
      await turns();
      expect(watched.openForReading.size).toBe(0);
      await log.close();
    },
  );

  it('before it began when the signal was aborted already', async () => {
    const log = await openSim(SimDisk.of().fileIo);
    await fill(log, ones(3));
    expect(await collect(log, { after: 0, signal: AbortSignal.abort() })).toEqual([]);
    expect(log.stats().followers).toBe(0);
    await log.close();
  });

  it('in the middle of a page, and forgets the rest of it', async () => {
    const log = await openSim(SimDisk.of().fileIo);
    await fill(log, ones(30));
    const abort = new AbortController();
    const seen: number[] = [];
    for await (const { offset } of log.follow({ after: 0, signal: abort.signal })) {
      seen.push(offset);
      if (offset === 4) abort.abort();
    }
    expect(seen).toEqual([1, 2, 3, 4]);
    await log.close();
  });

  it('while its page is being read', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io);
    await fill(log, ones(100));
    for (let after = 0; after < 8; after++) {
      const follower = log.follow({ after: 0 });
      const first = follower.next();
      for (let i = 0; i < after; i++) await Promise.resolve();
      const end = follower.return?.();
      const { done, value } = await first;
      if (done !== true) expect(value).toMatchObject({ offset: 1 });
      await end;
      await turns();
      expect(watched.openForReading.size).toBe(0);
    }
    await log.close();
  });

  it('with OFFSET_TOO_OLD when what it wants was dropped, and is over then', async () => {
    const log = await openSim(SimDisk.of().fileIo);
    for (let i = 0; i < 50; i++) await fill(log, ones(30));
    const follower = log.follow({ after: 0 });
    expect((await follower.next()).value).toMatchObject({ offset: 1 });
    await log.truncateBefore(1400);
    const { firstOffset } = log;
    expect(firstOffset).toBeGreaterThan(1200);
    const late = log.follow({ after: firstOffset - 2 });
    const details = { requested: firstOffset - 1, oldest: firstOffset };
    expect(await failureOf(late.next())).toMatchObject({ code: 'OFFSET_TOO_OLD', details });
    expect(await late.next()).toEqual(END);
    expect(await collect(log, { after: firstOffset - 1 }, 1500)).toEqual(upTo(firstOffset, 1500));
    // The page it had is given; then it is told.
    const failure = await codeOf(
      (async () => {
        while ((await follower.next()).done !== true);
      })(),
    );
    expect(failure).toBe('OFFSET_TOO_OLD');
    expect(await follower.next()).toEqual(END);
    await log.close();
  });

  it('F-30 with CORRUPT at a damaged frame, after everything before it', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    await fill(log, ones(1));
    for (let i = 0; i < 20; i++) await fill(log, ones(2));
    flipAt(disk, `/db/${segmentName(2)}`, 300);
    const seen: number[] = [];
    const following = (async () => {
      for await (const { offset } of log.follow({ after: 0 })) seen.push(offset);
    })();
    expect(await codeOf(following)).toBe('CORRUPT');
    expect(seen.length).toBeGreaterThan(5);
    expect(seen).toEqual(upTo(1, seen.length));
    await log.close();
  });

  it.each([
    [{ after: -1 }],
    [{ after: 0.5 }],
    [{ after: '1' }],
    [{ signal: 1 }],
    [{ from: 1 }],
    [3],
  ])('at once for %j', async (options) => {
    const log = await openSim(SimDisk.of().fileIo);
    expect(() => log.follow(options as object)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
    expect(log.stats().followers).toBe(0);
    await log.close();
  });
});
