/**
 * The manifest: store id, which segments there must be, one attested position, and bytes of the
 * layer above. Two slots; the one not in force is written, then synced, so that a torn write
 * leaves the other. The file itself is renamed into place complete.
 */
import { join } from 'node:path';
import { crc32c } from '../src/base/crc32c.ts';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { invariant } from '../src/base/assert.ts';
import { datasync, writeAll } from './file-write.ts';
import {
  FORMAT_VERSION,
  MANIFEST_EXTRA_BYTES,
  MANIFEST_MAGIC,
  MANIFEST_SLOT,
  MANIFEST_SLOTS,
  STORE_ID_BYTES,
} from './format.ts';
import { readU64, writeU64 } from './frame.ts';
import { corrupt, unsupportedFormat } from './log-error.ts';
import type { Attested } from './position.ts';
import { MANIFEST_NAME, UNFINISHED_MANIFEST_NAME } from './segment-name.ts';

export interface ManifestState {
  readonly sequence: number;
  readonly storeId: Uint8Array;
  readonly highestSegment: number;
  readonly oldestSegment: number;
  readonly attested: Attested;
  readonly extra: Uint8Array;
}

export function encodeManifestSlot(state: ManifestState): Uint8Array {
  invariant(
    state.extra.length <= MANIFEST_EXTRA_BYTES,
    'the bytes of the layer above fit into a manifest slot',
  );
  const bytes = new Uint8Array(MANIFEST_SLOT.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(MANIFEST_SLOT.magic, MANIFEST_MAGIC, true);
  view.setUint32(MANIFEST_SLOT.version, FORMAT_VERSION, true);
  view.setUint32(MANIFEST_SLOT.extraLength, state.extra.length, true);
  writeU64(view, MANIFEST_SLOT.sequence, state.sequence);
  bytes.set(state.storeId, MANIFEST_SLOT.storeId);
  view.setUint32(MANIFEST_SLOT.highestSegment, state.highestSegment, true);
  view.setUint32(MANIFEST_SLOT.oldestSegment, state.oldestSegment, true);
  view.setUint32(MANIFEST_SLOT.attestedSegment, state.attested.segment, true);
  view.setUint32(MANIFEST_SLOT.attestedBytes, state.attested.bytes, true);
  writeU64(view, MANIFEST_SLOT.attestedOffset, state.attested.offset);
  bytes.set(state.extra, MANIFEST_SLOT.extra);
  view.setUint32(
    MANIFEST_SLOT.slotCrc,
    crc32c(bytes, MANIFEST_SLOT.magic, MANIFEST_SLOT.size),
    true,
  );
  return bytes;
}

/** undefined: no valid slot. A number: one of that later format version. */
export function decodeManifestSlot(bytes: Uint8Array): ManifestState | number | undefined {
  if (bytes.length < MANIFEST_SLOT.size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(MANIFEST_SLOT.magic, true) !== MANIFEST_MAGIC) return undefined;
  const crc = crc32c(bytes, MANIFEST_SLOT.magic, MANIFEST_SLOT.size);
  if (crc !== view.getUint32(MANIFEST_SLOT.slotCrc, true)) return undefined;
  const version = view.getUint32(MANIFEST_SLOT.version, true);
  if (version !== FORMAT_VERSION) return version;
  const extraLength = view.getUint32(MANIFEST_SLOT.extraLength, true);
  const sequence = readU64(view, MANIFEST_SLOT.sequence);
  const attestedOffset = readU64(view, MANIFEST_SLOT.attestedOffset);
  if (extraLength > MANIFEST_EXTRA_BYTES) return undefined;
  // The next one must be higher, and numbers end somewhere.
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(attestedOffset)) return undefined;
  return {
    sequence,
    storeId: bytes.slice(MANIFEST_SLOT.storeId, MANIFEST_SLOT.storeId + STORE_ID_BYTES),
    highestSegment: view.getUint32(MANIFEST_SLOT.highestSegment, true),
    oldestSegment: view.getUint32(MANIFEST_SLOT.oldestSegment, true),
    attested: {
      segment: view.getUint32(MANIFEST_SLOT.attestedSegment, true),
      bytes: view.getUint32(MANIFEST_SLOT.attestedBytes, true),
      offset: attestedOffset,
    },
    extra: bytes.slice(MANIFEST_SLOT.extra, MANIFEST_SLOT.extra + extraLength),
  };
}

export interface ManifestReading {
  readonly state: ManifestState;
  /** Which slot is in force. */
  readonly slot: number;
}

/** undefined when there is no manifest. @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED */
export async function readManifest(
  fileIo: FileIo,
  directory: string,
): Promise<ManifestReading | undefined> {
  return (await readManifestSlots(fileIo, directory))?.[0];
}

/** The slots that are valid, the one in force first. @throws {StoreError} CORRUPT - none is; FORMAT_UNSUPPORTED */
export async function readManifestSlots(
  fileIo: FileIo,
  directory: string,
): Promise<readonly ManifestReading[] | undefined> {
  const path = join(directory, MANIFEST_NAME);
  if ((await fileIo.stat(path)) === undefined) return undefined;
  const bytes = new Uint8Array(MANIFEST_SLOT.size * MANIFEST_SLOTS);
  const handle = await fileIo.open(path, 'read');
  let length: number;
  try {
    length = await handle.read(bytes, 0, bytes.length, 0);
  } finally {
    await handle.close();
  }
  const valid: ManifestReading[] = [];
  for (let slot = 0; slot < MANIFEST_SLOTS; slot++) {
    const start = slot * MANIFEST_SLOT.size;
    const state = decodeManifestSlot(
      bytes.subarray(start, Math.min(start + MANIFEST_SLOT.size, length)),
    );
    if (typeof state === 'number') throw unsupportedFormat(MANIFEST_NAME, state, FORMAT_VERSION);
    if (state !== undefined) valid.push({ state, slot });
  }
  if (valid.length === 0) throw corrupt(MANIFEST_NAME, 0, 'neither of its two slots is valid');
  return valid.sort((a, b) => b.state.sequence - a.state.sequence);
}

/** Puts the first manifest of a store into place: from then on the store exists. */
export async function createManifest(
  fileIo: FileIo,
  directory: string,
  state: ManifestState,
): Promise<void> {
  const path = join(directory, UNFINISHED_MANIFEST_NAME);
  if ((await fileIo.stat(path)) !== undefined) await fileIo.remove(path);
  const bytes = new Uint8Array(MANIFEST_SLOT.size * MANIFEST_SLOTS);
  bytes.set(encodeManifestSlot(state));
  const handle = await fileIo.open(path, 'create');
  try {
    await writeAll(handle, bytes, 0, bytes.length, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fileIo.rename(path, join(directory, MANIFEST_NAME));
  await fileIo.syncDirectory(directory);
}

/** The manifest of a store that is open for writing. Changes are applied one after the other. */
export class ManifestFile {
  /** What is on the disk. */
  state: ManifestState;
  private slot: number;
  private readonly handle: FileHandle;
  private last: Promise<void> = Promise.resolve();
  /** A process that died may have left the slot in force in the page cache only. */
  private isSettled = false;

  constructor(handle: FileHandle, reading: ManifestReading) {
    this.handle = handle;
    this.state = reading.state;
    this.slot = reading.slot;
  }

  /** Resolves when the change is synced. After a failure the state before it stands, and the call may be repeated. */
  update(change: Partial<Omit<ManifestState, 'sequence' | 'storeId'>>): Promise<void> {
    const run = this.last.then(() =>
      this.write({ ...this.state, ...change, sequence: this.state.sequence + 1 }),
    );
    this.last = run.catch(() => undefined);
    return run;
  }

  /**
   * The same in both slots: for what must not come back when the newer one is damaged, such as
   * the name of a segment that is about to be removed.
   */
  async updateBoth(change: Partial<Omit<ManifestState, 'sequence' | 'storeId'>>): Promise<void> {
    for (let i = 0; i < MANIFEST_SLOTS; i++) await this.update(change);
  }

  private async write(next: ManifestState): Promise<void> {
    // Both slots at risk at once could leave none.
    await this.makeSure();
    const slot = (this.slot + 1) % MANIFEST_SLOTS;
    await this.writeSlot(next, slot);
    this.state = next;
    this.slot = slot;
  }

  /** Makes sure of the slot in force: before anything is removed that an older one asks for. */
  settle(): Promise<void> {
    const run = this.last.then(() => this.makeSure());
    this.last = run.catch(() => undefined);
    return run;
  }

  private async makeSure(): Promise<void> {
    if (!this.isSettled) await this.writeSlot(this.state, this.slot);
    this.isSettled = true;
  }

  private async writeSlot(state: ManifestState, slot: number): Promise<void> {
    await writeAll(
      this.handle,
      encodeManifestSlot(state),
      0,
      MANIFEST_SLOT.size,
      slot * MANIFEST_SLOT.size,
    );
    await datasync(this.handle);
  }

  async close(): Promise<void> {
    await this.last;
    await this.handle.close();
  }
}

export async function openManifestFile(
  fileIo: FileIo,
  directory: string,
  reading: ManifestReading,
): Promise<ManifestFile> {
  return new ManifestFile(await fileIo.open(join(directory, MANIFEST_NAME), 'update'), reading);
}
