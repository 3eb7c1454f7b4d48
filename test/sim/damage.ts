/**
 * Damage at rest to what a life left: one bit, a zeroed range, a file cut short or gone. Opening may
 * refuse it as CORRUPT, with its place, and changes nothing; or it does no harm; or the end that
 * nothing vouched for is dropped. Never a wrong answer, never an empty store in silence.
 */
import { dirname } from 'node:path';
import { isStoreError, type StoreError } from '../../src/base/errors.ts';
import type { StoreOptions } from '../../src/engine/api/store.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import { DiskImage } from '../../src/testing/sim-image.ts';
import { type Choices, pick } from './choices.ts';
import { DIRECTORY } from './life.ts';
import { Oracle } from './oracle.ts';
import { namesIn } from './snapshot-files.ts';
import type { Record } from './store-run.ts';
import { segmentNumber } from '../../wal/segment-name.ts';

interface Damage {
  readonly what: string;
  /** One frame at most: what vouches for it is as it was. */
  readonly isSmall: boolean;
}

/** Changes one file, and says how. */
function drawDamage(files: Map<string, Uint8Array>, choose: Choices): Damage {
  const paths = [...files.keys()].filter(
    (path) => dirname(path) === DIRECTORY && (files.get(path)?.length ?? 0) > 0,
  );
  // Most bytes of a segment are zeros behind its end; what is used is more worth damaging.
  const manifest = `${DIRECTORY}/manifest`;
  const isManifest = choose(4) === 3 && paths.includes(manifest);
  const path = isManifest ? manifest : pick(choose, paths.sort());
  const bytes = files.get(path) as Uint8Array;
  const used = Math.max(1, bytes.findLastIndex((byte) => byte !== 0) + 1);
  const at = choose(4) === 0 ? choose(bytes.length) : choose(used);
  switch (choose(6)) {
    case 0:
      files.set(path, bytes.subarray(0, at));
      return { what: `${path} cut to ${at} of ${bytes.length} bytes`, isSmall: false };
    case 1: {
      const end = Math.min(bytes.length, at + 1 + choose(600));
      bytes.fill(0, at, end);
      return { what: `${path} zeroed from ${at} to ${end}`, isSmall: false };
    }
    case 2:
      if (choose(4) > 0) break;
      files.delete(path);
      return { what: `${path} removed`, isSmall: false };
    default:
  }
  const bit = choose(8);
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
  return { what: `${path}: bit ${bit} of byte ${at} of ${used} flipped`, isSmall: true };
}

/** One damage; throws when it led to anything wrong. */
export async function tryDamage(record: Record, choose: Choices): Promise<void> {
  const { disk, settings, model, bounds } = record;
  const files = disk.files();
  const { what, isSmall } = drawDamage(files, choose);
  const damaged = new SimDisk(DiskImage.of(files, disk.image.directories));
  const its = {
    history: model.history,
    model: settings.model,
    store: settings.store,
    isDamaged: true,
  } as const;
  try {
    // A larger one may take the last frame and the mark behind it; a closed store has more than marks.
    const attested = isSmall || record.isClosed ? bounds.attested : 0;
    await new Oracle(its, false).judge(damaged, 'cut', { ...bounds, cut: attested }, 0);
  } catch (error) {
    if (!isStoreError(error, 'CORRUPT')) {
      const closed = record.isClosed ? 'closed' : 'not closed';
      throw new Error(`${what} (${closed}): ${(error as Error).message}`, { cause: error });
    }
    checkRefusal(error, damaged, settings.store, { what, isSmall });
  }
}

/** Refused with its place, and nothing was changed; one slot of the manifest may always be damaged. */
function checkRefusal(
  cause: StoreError,
  disk: SimDisk,
  settings: StoreOptions,
  { what, isSmall }: Damage,
): void {
  const { file } = cause.details as { file?: string };
  if (file === undefined) throw new Error(`${what}: CORRUPT without a place`, { cause });
  // Contexts are read behind the opening: what was refused then is a read.
  const isRead = settings.verifyOnOpen !== 'full' && file.startsWith('snapshot-');
  if (!isRead && disk.journal.some((entry) => entry.kind === 'write'))
    throw new Error(`${what}: refused as CORRUPT, but written to`, { cause });
  // The manifest was written again for every segment.
  const hasRotated = namesIn(disk).some((name) => (segmentNumber(name) ?? 0) >= 3);
  if (isSmall && hasRotated && what.startsWith(`${DIRECTORY}/manifest`))
    throw new Error(`${what}: the other slot was of no use: ${cause.message}`, { cause });
}
