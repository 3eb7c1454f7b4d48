/**
 * A store below a directory that may not be opened, so that names in it cannot be synced. The bug:
 * the first opening made the store's directory, failed to sync its name, and said so; the second
 * found a directory, took it for an old one, and acknowledged writes that a power cut took away
 * with the name.
 */
import { expect, test } from 'vitest';
import { openStore } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { osError } from '../wal/sim-fixture.ts';
import { DOOR, refusalOf } from './cases/contract.ts';

test.each(['EACCES', 'EPERM', 'EROFS'])(
  'F-6 F-37 F-104 %s: a store whose name cannot be made safe is not made, however often one tries',
  async (errno) => {
    const disk = SimDisk.of();
    disk.fault = (call, path) =>
      call === 'syncdir' && path === '/db' ? osError(errno) : undefined;
    for (let attempt = 0; attempt < 3; attempt++) {
      const error = await refusalOf(() => openStore('/db/above/store', { fileIo: disk.fileIo }));
      expect(error).toMatchObject({
        code: 'WAL_IO_ERROR',
        details: { errno, outcome: 'not-done' },
      });
      expect([...disk.image.directories]).toEqual(['/', '/db']);
    }
    disk.fault = undefined;
    const store = await openStore('/db/above/store', { fileIo: disk.fileIo });
    await store.machines.put(DOOR);
    const cut = disk.crash(disk.journal.length, () => false);
    const found = await openStore('/db/above/store', { fileIo: cut.fileIo });
    expect(found.offset).toBe(1);
  },
);

test('F-37 in a directory that stands there already, below one that may not be opened, a store is made', async () => {
  const disk = SimDisk.of(new Map(), ['/', '/db', '/db/store']);
  disk.fault = (call, path) =>
    call === 'syncdir' && path === '/db' ? osError('EACCES') : undefined;
  const store = await openStore('/db/store', { fileIo: disk.fileIo });
  await store.machines.put(DOOR);
  expect(store.offset).toBe(1);
});
