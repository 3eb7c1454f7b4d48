/**
 * A store as it is at one moment, as plain data: what `pawl inspect` shows in every format. Made by
 * reading the log from end to end without the lock, so it is as true as a reopening would be.
 */
import fsExtra from 'fs-extra';
import { basename, join, resolve } from 'node:path';
import type { Definition } from '../../instance/machine-store.ts';
import { type FoldedLog, foldLog } from '../../engine/fold-log.ts';
import { isSnapshotFile } from '../../engine/snapshots/file-names.ts';
import type { SnapshotReport } from '../../engine/snapshots/survey.ts';
import { FORMAT_VERSION } from '../../../wal/format.ts';
import { isSavedAside } from '../../../wal/save-aside.ts';
import { chooseReading } from '../live.ts';
import { type Problem, errorData } from '../output.ts';

export interface StoreView {
  readonly location: string;
  readonly ok: boolean;
  /** Hexadecimal; null when nothing in the directory could tell. */
  readonly storeId: string | null;
  readonly formatVersion: number;
  /** Process that has the store open for writing. */
  readonly writer: { readonly pid: number } | null;
  readonly firstOffset: number;
  /** Last record shown. */
  readonly lastOffset: number;
  /** Of the last commit shown, milliseconds; null without records. */
  readonly lastCommitAt: number | null;
  readonly instances: { readonly living: number; readonly deleted: number };
  readonly idempotencyKeys: number;
  readonly machines: readonly MachineView[];
  readonly segments: readonly SegmentView[];
  /** Oldest first. */
  readonly snapshots: readonly SnapshotView[];
  readonly disk: { readonly bytes: number; readonly files: number };
  readonly recovery: RecoveryView;
  readonly problems: readonly Problem[];
}

export interface MachineView {
  readonly name: string;
  readonly indexes: readonly string[];
  readonly versions: readonly VersionView[];
}

export interface VersionView {
  readonly version: number;
  /** No new instance may use it. */
  readonly hidden: boolean;
  readonly living: number;
  readonly deleted: number;
  /** In the order of the definition. */
  readonly states: readonly { readonly state: string; readonly count: number }[];
}

export interface SegmentView {
  readonly file: string;
  readonly number: number;
  readonly firstOffset: number;
  /** firstOffset - 1: it holds no record. */
  readonly lastOffset: number;
  readonly bytesUsed: number;
  readonly bytes: number;
}

export interface SnapshotView {
  readonly file: string;
  /** Last record in it. */
  readonly offset: number;
  readonly bytes: number;
  /** Commit time of that record, milliseconds; null when the file cannot tell. */
  readonly at: number | null;
  readonly instances: number | null;
  readonly ok: boolean;
  /** What is wrong with it. */
  readonly problem: Problem | null;
}

/** What an opening for writing would find and do. */
export interface RecoveryView {
  /** Broken or dropped frames behind the end. */
  readonly bytesTruncated: number;
  /** Records shown that nothing vouches for: a power cut could take them. */
  readonly recordsInDoubt: number;
  /** Records of a live writer not shown for the same reason. */
  readonly recordsNotShown: number;
  /** Records known to be lost. */
  readonly lost: { readonly first: number; readonly last: number } | null;
  /** Segment files without a part of the log: prepared ahead, or left behind. */
  readonly voidSegments: number;
  readonly unfinishedFiles: readonly string[];
  readonly strayFiles: readonly string[];
  /** Directories in which repairs saved what they took out. */
  readonly savedAside: readonly string[];
}

/** @throws {StoreError} NOT_FOUND, BAD_REQUEST, WAL_IO_ERROR */
export async function viewStore(
  directory: string,
  onProgress?: (bytes: number, totalBytes: number) => void,
): Promise<StoreView> {
  const location = resolve(directory);
  const { writer, deliver } = await chooseReading(location);
  const folded = await foldLog(location, { deliver, onProgress });
  const { log, state, problems } = folded;
  const { storeId } = log;
  const machines = machineViews(state.machines.all());
  return {
    location,
    ok: problems.length === 0,
    storeId: storeId === undefined ? null : Buffer.from(storeId).toString('hex'),
    formatVersion: FORMAT_VERSION,
    writer: writer ?? null,
    firstOffset: log.firstOffset,
    lastOffset: state.offset,
    lastCommitAt: state.offset === 0 ? null : state.time,
    instances: {
      living: sumOf(machines, (version) => version.living),
      deleted: sumOf(machines, (version) => version.deleted),
    },
    idempotencyKeys: state.keys.size,
    machines,
    segments: segmentViews(folded),
    snapshots: folded.snapshots.map(snapshotView),
    disk: await diskUse(location),
    recovery: recoveryView(folded, deliver, location),
    problems: problems.map(errorData),
  };
}

/** By name, each with its versions. */
function machineViews(definitions: readonly Definition[]): MachineView[] {
  const byName = new Map<string, Definition[]>();
  for (const one of definitions) {
    const versions = byName.get(one.machine.name) ?? [];
    versions.push(one);
    byName.set(one.machine.name, versions);
  }
  const names = [...byName.keys()].sort();
  return names.map((name) => {
    const versions = (byName.get(name) ?? []).sort((a, b) => a.version - b.version);
    return {
      name,
      indexes: versions[0]?.machine.indexes ?? [],
      versions: versions.map(versionView),
    };
  });
}

function versionView(definition: Definition): VersionView {
  const { version, isHidden: hidden, living, rows, population, body } = definition;
  const states = body.states.map((state, i) => ({ state, count: population[i] ?? 0 }));
  return { version, hidden, living, deleted: rows - living, states };
}

function sumOf(machines: readonly MachineView[], of: (version: VersionView) => number): number {
  return machines.flatMap((machine) => machine.versions).reduce((sum, one) => sum + of(one), 0);
}

function segmentViews({ log, state }: FoldedLog): SegmentView[] {
  return log.segments.map(({ number, path, firstOffset, lastOffset, usedBytes, sizeBytes }) => ({
    file: basename(path),
    number,
    firstOffset,
    lastOffset: Math.max(firstOffset - 1, Math.min(lastOffset, state.offset)),
    bytesUsed: usedBytes,
    bytes: sizeBytes,
  }));
}

export function snapshotView(report: SnapshotReport): SnapshotView {
  const { name: file, offset, sizeBytes: bytes, time, instances, problem } = report;
  return {
    file,
    offset,
    bytes,
    at: time ?? null,
    instances: instances ?? null,
    ok: problem === undefined,
    problem: problem === undefined ? null : errorData(problem),
  };
}

function recoveryView(
  { log, state }: FoldedLog,
  deliver: 'all' | 'attested',
  location: string,
): RecoveryView {
  const unattested = Math.max(0, log.lastOffset - log.attestedOffset);
  const isLost = log.knownOffset > state.offset && !log.ok;
  return {
    bytesTruncated: log.bytesTruncated,
    recordsInDoubt: deliver === 'all' ? unattested : 0,
    recordsNotShown: deliver === 'all' ? 0 : unattested,
    lost: isLost ? { first: state.offset + 1, last: log.knownOffset } : null,
    voidSegments: log.voids.length,
    unfinishedFiles: log.unfinished,
    strayFiles: log.strayFiles.filter((name) => !isSavedAside(name) && !isSnapshotFile(name)),
    savedAside: log.strayFiles.filter(isSavedAside).map((name) => join(location, name)),
  };
}

/** Of everything in the directory; a file that goes away while it is counted does not count. */
async function diskUse(directory: string): Promise<{ bytes: number; files: number }> {
  let bytes = 0;
  let files = 0;
  for (const entry of await fsExtra.readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const found = await fsExtra.stat(join(entry.parentPath, entry.name)).catch(ifGone);
    if (found === undefined) continue;
    bytes += found.size;
    files++;
  }
  return { bytes, files };
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
