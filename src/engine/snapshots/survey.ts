/**
 * The snapshots of a store as verification sees them: each that the manifest names is read, and
 * what the log folds to at its offset is compared with what it holds. Without a manifest the files
 * speak for themselves. Changes nothing; a live writer may be at work.
 */
import { join } from 'node:path';
import { StoreError, isStoreError } from '../../base/errors.ts';
import type { FileIo } from '../../base/file-io.ts';
import { systemRandom } from '../../base/random.ts';
import { type CatalogueEntry, decodeCatalogue } from '../../snapshot/catalogue.ts';
import { openSnapshot, type SnapshotFile } from '../../snapshot/snapshot-file.ts';
import { snapshotName, snapshotOffset } from '../../snapshot/snapshot-name.ts';
import { digestOf } from '../../state/digest.ts';
import type { State } from '../../state/state.ts';
import { corrupt, ioError } from '../../../wal/log-error.ts';
import { type ManifestState, readManifest } from '../../../wal/manifest.ts';
import { verifyLog } from '../../../wal/verify.ts';
import { newState } from '../new-state.ts';
import { openNamed } from './load-newest.ts';

export interface SnapshotReport {
  readonly name: string;
  /** Last record in it. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Of that record's commit; undefined when the file cannot tell. */
  readonly time: number | undefined;
  readonly instances: number | undefined;
  readonly problem: StoreError | undefined;
}

/**
 * 'heads': header and footer, and the state a shortened log goes on from. 'bytes': every byte, and no
 * state. 'states': everything, and each is compared with what the log folds to.
 */
export type SurveyDepth = 'heads' | 'bytes' | 'states';

/** Offsets and what is there, or what is wrong with it. */
type Found = { -readonly [K in keyof SnapshotReport]: SnapshotReport[K] };

export class SnapshotSurvey {
  /** Of the list of snapshots itself. */
  readonly problems: StoreError[] = [];
  /** As the manifest names them, oldest first. */
  entries: readonly CatalogueEntry[] = [];
  private readonly fileIo: FileIo;
  private readonly directory: string;
  private readonly depth: SurveyDepth;
  private readonly baseFrom: number;
  private readonly found: Found[] = [];
  private readonly digests = new Map<number, string>();
  private readonly differing = new Set<number>();
  private base: State | undefined;

  /** `baseFrom`: a state to go on from has at least this record. */
  constructor(fileIo: FileIo, directory: string, depth: SurveyDepth, baseFrom: number = 0) {
    this.fileIo = fileIo;
    this.directory = directory;
    this.depth = depth;
    this.baseFrom = baseFrom;
  }

  async read(): Promise<void> {
    const manifest = await this.manifest();
    const isWhole = manifest !== undefined && manifest.oldestSegment <= 1;
    const storeId = manifest?.storeId ?? (await this.storeIdOfLog());
    this.entries = await this.named(manifest, storeId);
    for (const entry of this.entries) await this.examine(entry, storeId, isWhole);
  }

  /** Does the manifest name others by now? */
  async isStale(): Promise<boolean> {
    const manifest = await this.manifest();
    if (manifest === undefined) return false;
    const named = await this.named(manifest, manifest.storeId);
    return named.map(({ offset }) => offset).join() !== this.entries.map((e) => e.offset).join();
  }

  /** What is wrong with it is the business of whoever reads the log; that it cannot be read now is no damage. */
  private async manifest(): Promise<ManifestState | undefined> {
    try {
      return (await readManifest(this.fileIo, this.directory))?.state;
    } catch (error) {
      if (isStoreError(error)) return undefined;
      throw ioError(error, 'reading the manifest', this.directory);
    }
  }

  /** Each of its files says whose it is. */
  private async storeIdOfLog(): Promise<Uint8Array | undefined> {
    return (await verifyLog(this.directory, { fileIo: this.fileIo })).storeId;
  }

  private async named(
    manifest: ManifestState | undefined,
    storeId: Uint8Array | undefined,
  ): Promise<CatalogueEntry[]> {
    if (manifest === undefined) return entriesOnDisk(this.fileIo, this.directory, storeId);
    try {
      return decodeCatalogue(manifest.extra);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      this.problems.push(error);
      // A list that makes no sense names none; the files still say what they are.
      return error.code === 'CORRUPT' ? entriesOnDisk(this.fileIo, this.directory, storeId) : [];
    }
  }

  private async examine(
    entry: CatalogueEntry,
    storeId: Uint8Array | undefined,
    isLogWhole: boolean,
  ): Promise<void> {
    const { offset, sizeBytes } = entry;
    const found: Found = {
      name: snapshotName(offset),
      offset,
      sizeBytes,
      time: undefined,
      instances: undefined,
      problem: undefined,
    };
    this.found.push(found);
    let snapshot: SnapshotFile | undefined;
    try {
      snapshot = await this.open(entry, storeId);
      found.time = snapshot.time;
      found.instances = snapshot.instances;
      const { depth } = this;
      if (depth !== 'heads') await snapshot.verify();
      const mayBeBase = !isLogWhole && depth !== 'bytes' && offset >= this.baseFrom;
      const isBase = mayBeBase && this.base === undefined;
      if (isBase || depth === 'states') await this.load(snapshot, isBase);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      found.problem = asDamage(error, found);
    } finally {
      await snapshot?.close();
    }
  }

  private open(entry: CatalogueEntry, storeId: Uint8Array | undefined): Promise<SnapshotFile> {
    const { fileIo, directory } = this;
    if (storeId !== undefined) return openNamed({ fileIo, directory, storeId }, entry);
    return openSnapshot(fileIo, join(directory, snapshotName(entry.offset)), undefined);
  }

  private async load(snapshot: SnapshotFile, isBase: boolean): Promise<void> {
    const state = newState(systemRandom);
    await snapshot.load(state, 'now');
    if (this.depth === 'states') this.digests.set(snapshot.offset, digestOf(state));
    if (isBase) this.base = state;
  }

  /** The state to go on from when the log begins behind record `after`; given away once. */
  takeBase(after: number): State {
    const { base } = this;
    this.base = undefined;
    if (base !== undefined && base.offset >= after) return base;
    const foreign = this.found.find(({ offset, problem }) => offset >= after && isForeign(problem));
    if (foreign?.problem !== undefined) throw foreign.problem;
    const message = `the log begins with record ${after + 1}, and no snapshot that can be used reaches it`;
    throw corrupt('manifest', 0, message, after + 1);
  }

  /** Is there a snapshot of this offset to compare with? */
  wants(offset: number): boolean {
    return this.digests.has(offset);
  }

  /** Told of the fold at that offset. */
  compare(offset: number, digest: string): void {
    if (this.digests.get(offset) === digest) this.differing.delete(offset);
    else this.differing.add(offset);
  }

  /** Last record that a sound snapshot has, or one in a form not known here; 0 without one. */
  get coveredThrough(): number {
    const covers = ({ problem }: Found): boolean => problem === undefined || isForeign(problem);
    return this.found.findLast(covers)?.offset ?? 0;
  }

  /** All that is known once the log was read. */
  finished(): readonly SnapshotReport[] {
    for (const found of this.found) {
      const { name, offset } = found;
      if (found.problem === undefined && this.differing.has(offset))
        found.problem = corrupt(name, 0, 'it is whole, and not what the log says', offset);
    }
    return this.found;
  }
}

function isForeign(problem: StoreError | undefined): boolean {
  return isStoreError(problem, 'FORMAT_UNSUPPORTED');
}

/** Snapshot files that say of themselves that they are whole, and of this store, oldest first. */
async function entriesOnDisk(
  fileIo: FileIo,
  directory: string,
  storeId: Uint8Array | undefined,
): Promise<CatalogueEntry[]> {
  const entries: CatalogueEntry[] = [];
  for (const name of await namesIn(fileIo, directory)) {
    if (snapshotOffset(name) === undefined) continue;
    try {
      const snapshot = await openSnapshot(fileIo, join(directory, name), storeId);
      const { offset, sizeBytes, checksum } = snapshot;
      await snapshot.close();
      if (offset === snapshotOffset(name)) entries.push({ offset, sizeBytes, checksum });
    } catch (error) {
      if (!isStoreError(error)) throw error;
    }
  }
  return entries;
}

async function namesIn(fileIo: FileIo, directory: string): Promise<string[]> {
  try {
    return await fileIo.list(directory);
  } catch (error) {
    throw ioError(error, 'listing the directory', directory);
  }
}

/** A report has a file and a place for everything that is wrong. */
function asDamage(error: StoreError, { name, offset }: Found): StoreError {
  if (!isStoreError(error, 'NOT_FOUND')) return error;
  return new StoreError('CORRUPT', `${name} at byte 0: the manifest names it, and it is missing`, {
    details: { file: name, byteOffset: 0, offset },
    cause: error,
  });
}
