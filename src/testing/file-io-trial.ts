/**
 * What the cases of the FileIo contract have in common: paths in the directory of one case, files
 * opened and closed again behind it, calls with callbacks as promises, and errors by their code.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { FileHandle, FileIo, OpenMode } from '../base/file-io.ts';

/** One promise of the FileIo port. */
export interface PortCase {
  readonly name: string;
  check(trial: PortTrial): Promise<void>;
}

/** One case under way. */
export class PortTrial {
  readonly fileIo: FileIo;
  readonly directory: string;
  private readonly opened: FileHandle[] = [];

  constructor(fileIo: FileIo, directory: string) {
    this.fileIo = fileIo;
    this.directory = directory;
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  /** Opens a file by its name in the directory. */
  async open(name: string, mode: OpenMode): Promise<FileHandle> {
    const file = await this.fileIo.open(this.path(name), mode);
    this.opened.push(file);
    return file;
  }

  /** Creates a file with these bytes. */
  async put(name: string, bytes: Uint8Array): Promise<FileHandle> {
    const file = await this.open(name, 'create');
    await written(file, bytes, 0);
    return file;
  }

  /** All bytes of a file, through a handle of its own. */
  async bytesAt(name: string): Promise<number[]> {
    const file = await this.open(name, 'read');
    const bytes = await bytesOf(file);
    await file.close();
    return bytes;
  }

  /** Files left open may keep the directory from being removed. */
  async closeAll(): Promise<void> {
    await Promise.allSettled(this.opened.map((file) => file.close()));
  }
}

/** Bytes that differ from their neighbours. */
export function pattern(length: number, from: number = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i * 7) & 255);
}

/** write() as a promise. */
export function written(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
  start: number = 0,
  length: number = bytes.length - start,
): Promise<void> {
  return new Promise((resolve, reject) => {
    file.write(bytes, start, length, position, (error) => (error ? reject(error) : resolve()));
  });
}

/** datasync() as a promise. */
export function datasynced(file: FileHandle): Promise<void> {
  return new Promise((resolve, reject) => {
    file.datasync((error) => (error ? reject(error) : resolve()));
  });
}

/** All bytes of an open file. */
export async function bytesOf(file: FileHandle): Promise<number[]> {
  const { sizeBytes } = await file.stat();
  const into = new Uint8Array(sizeBytes);
  assert.equal(await file.read(into, 0, sizeBytes, 0), sizeBytes, 'bytes read of the whole file');
  return [...into];
}

/** Ends in an error of the system with one of these codes; with none given, in any that has a code. */
export async function fails(
  what: string,
  call: () => Promise<unknown>,
  ...codes: readonly string[]
): Promise<void> {
  const code = await call().then(
    () => undefined,
    (error: unknown) => (error as { code?: unknown }).code ?? String(error),
  );
  assert.notEqual(
    code,
    undefined,
    `${what}: succeeded instead of failing with ${codes.join(' or ')}`,
  );
  assert.equal(typeof code, 'string', `${what}: an error with a code`);
  if (codes.length > 0) assert.ok(codes.includes(code as string), `${what}: ${code as string}`);
}

/** The same of a call that blocks. */
export function failsNow(
  what: string,
  call: () => unknown,
  ...codes: readonly string[]
): Promise<void> {
  return fails(what, async () => call(), ...codes);
}
