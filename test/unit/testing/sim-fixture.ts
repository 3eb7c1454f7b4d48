/** Simulated disks for the tests of this folder: files as text, and all states a power cut may leave as lines to compare. */
import type { FileHandle } from '../../../src/base/file-io.ts';
import type { CrashWalk } from '../../../src/testing/crash-walk.ts';
import type { DiskImage } from '../../../src/testing/sim-image.ts';
import type { Survival } from '../../../src/testing/sim-journal.ts';
import { SimDisk, type SimDiskOptions } from '../../../src/testing/sim-disk.ts';

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll('_', '\0'), (character) => character.charCodeAt(0));
}

/** A disk with these files in /db, by name, and nothing in doubt. */
export function diskOf(files: Record<string, string> = {}, options: SimDiskOptions = {}): SimDisk {
  const paths = Object.entries(files).map(
    ([name, text]) => [`/db/${name}`, bytesOf(text)] as const,
  );
  return SimDisk.of(new Map(paths), ['/', '/db'], options);
}

/** Directories and files under /db as one line, zeros as `_`. */
export function lineOf(image: DiskImage): string {
  const texts = [...image.files()].map(([path, bytes]) => {
    const text = String.fromCharCode(...bytes).replaceAll('\0', '_');
    return `${path.replace('/db/', '')}=${text}`;
  });
  const directories = [...image.directories].filter((path) => path !== '/' && path !== '/db');
  return [...directories.map((path) => `${path.replace('/db/', '')}/`), ...texts].sort().join(' ');
}

/** Every combination of survivals of the effects in doubt, as a walk takes them. */
function* combinations(
  walk: CrashWalk,
  survivals: readonly Survival[] = ['none', 'whole'],
): Generator<DiskImage> {
  const { undecided } = walk;
  for (let number = 0; number < survivals.length ** undecided.length; number++) {
    const fates = new Map(
      undecided.map((index, i) => [
        index,
        survivals[Math.floor(number / survivals.length ** i) % survivals.length] as Survival,
      ]),
    );
    yield walk.cut((index) => fates.get(index) as Survival);
  }
}

/** All disks a power cut may leave after the first `point` entries, sorted, each once. */
export function cutsOf(
  disk: SimDisk,
  point: number = disk.journal.length,
  survivals?: readonly Survival[],
): string[] {
  const walk = disk.walk();
  walk.advance(point);
  return [...new Set([...combinations(walk, survivals)].map(lineOf))].sort();
}

export function write(file: FileHandle, text: string, at: number = 0): Promise<void> {
  const bytes = bytesOf(text);
  return new Promise((resolve, reject) =>
    file.write(bytes, 0, bytes.length, at, (error) => (error ? reject(error) : resolve())),
  );
}

export function datasync(file: FileHandle): Promise<void> {
  return new Promise((resolve, reject) =>
    file.datasync((error) => (error ? reject(error) : resolve())),
  );
}
