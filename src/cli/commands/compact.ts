/** `pawl compact DIR`: takes a snapshot of a closed store, and drops the log it makes superfluous. */
import { nodeFileIo } from '../../base/node-file-io.ts';
import { openStore } from '../../engine/open-store.ts';
import { checkDirectory } from '../../../wal/verify.ts';
import { EXIT } from '../exit-code.ts';
import { type Context, printResult } from '../output.ts';
import { count, counted, painter, printable, size } from '../text.ts';

export interface CompactChoices {
  /** Only the newest snapshot stays, and all log before it goes. */
  readonly force?: boolean | undefined;
  /** What is dropped goes to the directory `archive`. */
  readonly archive?: boolean | undefined;
}

/** @throws {StoreError} STORE_LOCKED - a writer lives; NOT_FOUND, CORRUPT, WAL_IO_ERROR */
export async function compact(
  directory: string,
  { force, archive }: CompactChoices,
  context: Context,
): Promise<number> {
  // Opening for writing would make a store where there is none.
  await checkDirectory(nodeFileIo, directory);
  const store = await openStore(directory, { snapshotInterval: 0, archive });
  try {
    const { offset, bytes } = await store.snapshot();
    const dropped = await store.compact({ force });
    const result = {
      location: directory,
      snapshot: { offset, bytes },
      segments: dropped.segments,
      bytesFreed: dropped.bytesFreed,
    };
    printResult(context, result, () => {
      const paint = painter(context.shell.out);
      const what = archive === true ? 'moved aside' : 'dropped';
      return [
        `${paint('good', 'compacted')}  ${printable(directory)}: snapshot at record ${count(offset)}, ${size(bytes)}`,
        `    ${counted(dropped.segments, 'log file')} ${what}, ${size(dropped.bytesFreed)}`,
      ];
    });
  } finally {
    await store.close();
  }
  return EXIT.ok;
}
