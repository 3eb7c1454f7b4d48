/** What openStore makes of a damaged store: refuses it and changes nothing, or shows what was written. */
import { seededRandom } from '../../src/base/random.ts';
import { openStore } from '../../src/index.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import type { DiskImage } from '../../src/testing/sim-image.ts';
import { isEffect } from '../../src/testing/sim-journal.ts';
import { DIRECTORY, FrozenIo, filesOf } from './frozen-io.ts';
import type { Sample } from './damage-sample.ts';
import { quickThread } from './quick-thread.ts';
import { corruptOr, read, type Verdict } from './damage-verdict.ts';

/** Throws for what must never be. */
export async function open(sample: Sample, image: DiskImage): Promise<Verdict> {
  const disk = new SimDisk(image);
  const options = { fileIo: disk.fileIo, thread: quickThread(), random: seededRandom(5) };
  let store;
  try {
    store = await openStore(DIRECTORY, options);
  } catch (error) {
    const verdict = corruptOr(error);
    if (disk.journal.some(isEffect)) throw new Error('refused, but changed', { cause: error });
    if (disk.isLocked) throw new Error('refused, but locked', { cause: error });
    return verdict;
  }
  const records = store.offset;
  const { bytesTruncated } = store.recovery;
  for (const [id, context] of sample.instances) {
    // The definition is record 1, the first instance record 2.
    const isThere = Number(id.slice('item-'.length)) + 2 <= records;
    const found = store.instances.get(id);
    if (JSON.stringify(found?.context) !== (isThere ? context : undefined))
      throw new Error(`a wrong answer: ${id} is ${JSON.stringify(found?.context)?.slice(0, 60)}`);
  }
  await store.close();
  const after = filesOf(disk.image);
  // What was cut stays where it was until the next commit, and strict still objects to it.
  const again = after && (await read(new FrozenIo(after), sample.sums, bytesTruncated === 0));
  if (again?.kind !== 'found' || again.records !== records)
    throw new Error(`opened with ${records} records, closed, and then ${JSON.stringify(again)}`);
  return { kind: 'found', records, bytesTruncated };
}
