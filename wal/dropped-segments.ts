/**
 * Where segments go that are no part of the log any more: removed, or moved into an archive that
 * keeps the past. Oldest first, so that what is kept never has a hole. May be repeated after dying
 * anywhere: a file that is still in the log's directory is dropped then, and one that is in both
 * places is the same file.
 *
 * The manifest said before that these are not part of the log; the archive is on the same disk.
 */
import { dirname, join } from 'node:path';
import type { FileIo } from '../src/base/file-io.ts';
import type { Truncation } from './log-types.ts';
import { segmentName } from './segment-name.ts';

export interface DropPlace {
  readonly fileIo: FileIo;
  /** Of the log. */
  readonly directory: string;
  /** undefined: segments are removed. */
  readonly archiveDirectory: string | undefined;
}

export class DroppedSegments {
  /** Moved into the archive since the log was opened. */
  archived = 0;
  private readonly place: DropPlace;
  private isArchiveThere = false;

  constructor(place: DropPlace) {
    this.place = place;
  }

  /** Those that are there, by number, ascending. Failures are the operating system's own. */
  async drop(numbers: readonly number[]): Promise<Truncation> {
    const { fileIo, directory, archiveDirectory } = this.place;
    let segments = 0;
    let bytesFreed = 0;
    for (const number of numbers) {
      const path = join(directory, segmentName(number));
      const stat = await fileIo.stat(path);
      if (stat === undefined || !(await this.dropIfThere(path, number))) continue;
      segments++;
      bytesFreed += stat.sizeBytes;
    }
    if (segments === 0) return { segments, bytesFreed };
    // The new name first: until the old one is gone for sure, the segment has at least one of them.
    if (archiveDirectory !== undefined) await fileIo.syncDirectory(archiveDirectory);
    await fileIo.syncDirectory(directory);
    return { segments, bytesFreed };
  }

  /** Two may be at it, once after opening: false when the other one was faster. */
  private async dropIfThere(path: string, number: number): Promise<boolean> {
    const { fileIo, archiveDirectory } = this.place;
    if (archiveDirectory !== undefined) await this.makeArchive(archiveDirectory);
    try {
      if (archiveDirectory === undefined) await fileIo.remove(path);
      else await fileIo.rename(path, join(archiveDirectory, segmentName(number)));
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return false;
      throw error;
    }
    if (archiveDirectory !== undefined) this.archived++;
    return true;
  }

  /** Its own name is made sure of before anything is in it: a process that died may have made it and no more. */
  private async makeArchive(path: string): Promise<void> {
    if (this.isArchiveThere) return;
    const { fileIo } = this.place;
    if ((await fileIo.stat(path)) === undefined) await fileIo.makeDirectory(path);
    await fileIo.syncDirectory(dirname(path));
    this.isArchiveThere = true;
  }
}
