/**
 * Found by a campaign after 900,000 crash states. A process died in its first write; the next one
 * went over what was torn, wrote two frames and was cut off from power, which took the torn write and
 * the first frame, and left the second. The segment of the torn write was blank again, and below one
 * that had been written to: the next opening removed it as never used, and the manifest, which names
 * the higher one, still asked for it. The store did not open any more.
 */
import { expect, it } from 'vitest';
import { choicesAt, crashAt, seededRandom, SimDisk } from 'pawl/testing';
import { openDriver, scanDriver, turns } from './log-driver.ts';

/** Entries of the journal that write so many bytes or more behind the header of a segment. */
function framesIn(disk: SimDisk, from: number): number[] {
  return disk.journal.flatMap((entry, i) =>
    i >= from &&
    entry.kind === 'write' &&
    entry.at >= 64 &&
    entry.bytes.length > 64 &&
    entry.bytes.length < 4000
      ? [i]
      : [],
  );
}

it('F-0c F-9 a segment that is blank again, below one that was written to, stays until it is passed over', async () => {
  const first = SimDisk.of();
  const { driver } = await openDriver(first.fileIo, '/db', { durability: 'os' });
  driver.recordBytes = 400;
  await driver.commit();
  await turns();
  const [torn] = framesIn(first, 0) as [number];
  const walk = first.walk();
  walk.advance(torn + 1);
  const inside = choicesAt(walk, first.journal, seededRandom(1)).find((one) =>
    one.startsWith('kill~'),
  );
  const second = crashAt(walk, first.journal, inside as string).disk;

  const from = second.journal.length;
  const next = await openDriver(second.fileIo, '/db', { durability: 'os' });
  expect(next.replayed).toBe(0);
  next.driver.recordBytes = 400;
  await next.driver.commit();
  await next.driver.commit();
  const [link] = framesIn(second, from) as [number, number];
  const crashed = second.crash(
    second.journal.length,
    (index, effect) => effect.kind !== 'write' || (index >= from && index !== link),
  );
  const names = [...crashed.files().keys()];
  expect(names).toContain('/db/00000001.wal');
  expect(names).toContain('/db/00000002.wal');

  // Opened and closed without a commit, then cut off again: every time it opens.
  for (let n = 0; n < 3; n++) {
    const { writer, replayed } = await openDriver(crashed.fileIo, '/db');
    expect(replayed).toBe(0);
    await turns();
    if (n === 1) {
      const cut = crashed.crash(crashed.journal.length, () => false);
      expect((await scanDriver(cut.fileIo, '/db')).records).toBe(0);
    }
    await writer.close();
  }
  const last = await openDriver(crashed.fileIo, '/db');
  expect(await last.driver.commit()).toBe(1);
  await last.writer.close();
  expect((await scanDriver(crashed.fileIo, '/db', { strict: true })).records).toBe(1);
});
