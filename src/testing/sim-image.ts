/**
 * What lies on a simulated disk at one moment: directories, names, and the bytes of each file.
 * A name says which file, a file has no name of its own: that is what lets a crash keep one
 * without the other.
 */
import { dirname } from 'node:path';
import { Content } from './sim-content.ts';
import type { Effect, Survival, TornWrite } from './sim-journal.ts';

/** Files by absolute path. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** Directories, names and bytes; a file whose name is lost keeps its bytes until the system starts again. */
export class DiskImage {
  /** Absolute paths; the root is one of them. */
  readonly directories: Set<string>;
  /** Which file a path leads to, by its number. */
  readonly names: Map<string, number>;
  /** The bytes of a file, by its number. */
  readonly contents: Map<number, Content>;
  /** The next file's number. */
  nextFile: number;

  constructor(
    directories: Iterable<string> = ['/'],
    names: Iterable<readonly [string, number]> = [],
    contents: Iterable<readonly [number, Content]> = [],
    nextFile: number = 0,
  ) {
    this.directories = new Set(directories);
    this.names = new Map(names);
    this.contents = new Map(contents);
    this.nextFile = nextFile;
  }

  /** Holds these files, and these directories with all that lead to them and to the files. */
  static of(files: Files, directories: Iterable<string>): DiskImage {
    const image = new DiskImage();
    for (const path of directories) for (const one of wayTo(path)) image.directories.add(one);
    for (const [path, bytes] of files) {
      for (const one of wayTo(dirname(path))) image.directories.add(one);
      image.names.set(path, image.nextFile);
      image.contents.set(image.nextFile++, new Content(bytes.slice()));
    }
    return image;
  }

  /** The same, to be changed apart. */
  copy(): DiskImage {
    const copy = new DiskImage(this.directories, this.names, [], this.nextFile);
    for (const [file, content] of this.contents) copy.contents.set(file, content.copy());
    return copy;
  }

  /** Without files that have no name, and what lies in a directory that is missing: what a system finds when it starts. */
  settled(): DiskImage {
    const names: [string, number][] = [];
    const contents: [number, Content][] = [];
    const isThere = (path: string): boolean => this.directories.has(path) || path === '/';
    const directories = [...this.directories].filter((path) => wayTo(path).every(isThere));
    const reached = new Set(directories);
    for (const [path, file] of this.names) {
      if (!reached.has(dirname(path))) continue;
      names.push([path, file]);
      contents.push([file, this.content(file).copy()]);
    }
    return new DiskImage(directories, names, contents, this.nextFile);
  }

  /** The bytes of a file, empty when it has none yet. */
  content(file: number): Content {
    const found = this.contents.get(file);
    if (found !== undefined) return found;
    const content = new Content();
    this.contents.set(file, content);
    return content;
  }

  /** Makes a change, or what a crash leaves of it. */
  apply(effect: Effect, survival: Survival = 'whole'): void {
    if (effect.kind === 'create' && effect.file >= this.nextFile) this.nextFile = effect.file + 1;
    if (survival === 'none') return;
    switch (effect.kind) {
      case 'mkdir':
        this.directories.add(effect.path);
        break;
      case 'create':
        this.names.set(effect.path, effect.file);
        break;
      case 'remove':
        if (this.names.get(effect.path) === effect.file) this.names.delete(effect.path);
        break;
      case 'rename':
        if (this.names.get(effect.path) === effect.file) this.names.delete(effect.path);
        this.names.set(effect.to, effect.file);
        break;
      case 'truncate':
        this.content(effect.file).resize(effect.length);
        break;
      case 'write':
        this.write(effect.file, effect.at, effect.bytes, survival);
    }
  }

  private write(file: number, at: number, bytes: Uint8Array, survival: Survival): void {
    const content = this.content(file);
    if (survival === 'whole') return content.write(bytes, at);
    const torn = survival === 'length' ? { ...NO_SECTOR, isLengthKept: true } : survival;
    writeSectors(content, at, bytes, torn as TornWrite);
  }

  /** Files by path, as copies. */
  files(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    for (const [path, file] of this.names) files.set(path, this.content(file).view().slice());
    return files;
  }

  /** Bytes of all files that have a name, and of the others given. */
  takenBytes(nameless: Iterable<number> = []): number {
    let bytes = 0;
    for (const file of new Set([...this.names.values(), ...nameless]))
      bytes += this.contents.get(file)?.length ?? 0;
    return bytes;
  }

  /** Bytes of all files that have a name. */
  get sizeBytes(): number {
    return this.takenBytes();
  }

  /** Equal for disks on which the same files hold the same bytes, whatever their history. */
  digest(): number {
    let high = 0;
    let low = 0;
    for (const [path, file] of this.names) {
      const content = this.content(file).digest();
      // Summed up, so that the order of names does not count.
      const [a, b] = mix(hashOf(path), content % 2 ** 32, Math.floor(content / 2 ** 32));
      high = (high + a) | 0;
      low = (low + b) | 0;
    }
    for (const path of this.directories) low = (low + hashOf(path)) | 0;
    return (high & 0x1f_ffff) * 2 ** 32 + (low >>> 0);
  }
}

const NO_SECTOR: TornWrite = { sectorBytes: 512, sectors: 0 };

/** The directories a path leads through from the root, itself included. */
function wayTo(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...wayTo(parent), path];
}

function writeSectors(content: Content, at: number, bytes: Uint8Array, torn: TornWrite): void {
  const { sectorBytes, sectors, isLengthKept = false } = torn;
  const end = at + bytes.length;
  for (let from = at, n = 0; from < end; n++) {
    const to = Math.min(end, (Math.floor(from / sectorBytes) + 1) * sectorBytes);
    if (((sectors >>> (n & 31)) & 1) === 1) content.write(bytes.subarray(from - at, to - at), from);
    from = to;
  }
  if (isLengthKept && end > content.length) content.resize(end);
}

/** FNV-1a over the characters. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

function mix(name: number, low: number, high: number): [number, number] {
  const a = Math.imul(name ^ Math.imul(low ^ (low >>> 15), 0x85ebca6b), 0xc2b2ae35) ^ high;
  const b = Math.imul(a ^ (a >>> 13), 0x9e3779b1) ^ Math.imul(low, 0x27d4eb2f);
  return [a ^ (b >>> 16), b];
}
