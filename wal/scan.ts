/**
 * Reads an existing log from its manifest to its end, in one pass, without changing anything:
 * recovery, verification and foreign readers all enter here. scan-pass.ts walks the frames.
 */
import type { FileIo } from '../src/base/file-io.ts';
import { corrupt, ioError } from './log-error.ts';
import { type LogDirectory, listLogDirectory, readSegmentHead } from './log-directory.ts';
import { type ManifestReading, readManifest } from './manifest.ts';
import { ScanPass } from './scan-pass.ts';
import type { ScanOptions, ScanReport } from './scan-report.ts';
import { openReader, readSegmentChain } from './segment-chain.ts';
import { segmentName } from './segment-name.ts';

export type { ScanOptions, ScanReport } from './scan-report.ts';

/** undefined: there is no store here yet. @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED, WAL_IO_ERROR */
export async function scanLog(
  fileIo: FileIo,
  directory: string,
  options: ScanOptions = {},
): Promise<ScanReport | undefined> {
  const files = await listLogDirectory(fileIo, directory);
  let manifest: ManifestReading | undefined;
  try {
    manifest = await readManifest(fileIo, directory);
  } catch (error) {
    throw ioError(error, 'reading the manifest', directory);
  }
  if (manifest === undefined) {
    await checkNoFrames(fileIo, directory, files);
    return undefined;
  }
  const has = await options.before?.(manifest.state);
  const chain = await readSegmentChain({ fileIo, directory, files, manifest: manifest.state });
  return new ScanPass(fileIo, manifest, files, chain, options, has).run();
}

/** A store is created by segment 1, then the manifest: before that nothing was ever written. */
async function checkNoFrames(
  fileIo: FileIo,
  directory: string,
  files: LogDirectory,
): Promise<void> {
  for (const number of files.segments) {
    const file = await readSegmentHead(fileIo, directory, number, undefined);
    if (file === undefined) continue;
    const { reader, close } = await openReader(fileIo, file, file.storeId);
    try {
      if ((await reader.search()).hasSealedHeader)
        throw corrupt('manifest', 0, `it is missing, but ${segmentName(number)} holds frames`);
    } finally {
      await close();
    }
  }
}
