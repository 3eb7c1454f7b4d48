/** Damage as functions: each takes the files of a log and gives them back with something wrong. */

export type Files = Map<string, Uint8Array>;
export type Damage = (files: Files) => Files;

function changed(files: Files, change: (copy: Files) => void): Files {
  const copy = new Map([...files].map(([path, bytes]) => [path, bytes.slice()]));
  change(copy);
  return copy;
}

function bytesOf(files: Files, path: string): Uint8Array {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`no file ${path}`);
  return bytes;
}

export function flip(path: string, at: number, mask = 1): Damage {
  return (files) =>
    changed(files, (copy) => {
      const bytes = bytesOf(copy, path);
      bytes[at] = (bytes[at] as number) ^ mask;
    });
}

export function zero(path: string, from: number, to: number): Damage {
  return (files) => changed(files, (copy) => void bytesOf(copy, path).fill(0, from, to));
}

export function cut(path: string, length: number): Damage {
  return (files) =>
    changed(files, (copy) => void copy.set(path, bytesOf(copy, path).slice(0, length)));
}

export function grow(path: string, bytes: number): Damage {
  return (files) =>
    changed(files, (copy) => {
      const grown = new Uint8Array(bytesOf(copy, path).length + bytes).fill(7);
      grown.set(bytesOf(copy, path));
      copy.set(path, grown);
    });
}

export function swap(one: string, two: string): Damage {
  return (files) =>
    changed(files, (copy) => {
      const first = bytesOf(copy, one);
      copy.set(one, bytesOf(copy, two)).set(two, first);
    });
}

export function duplicate(path: string, as: string): Damage {
  return (files) => changed(files, (copy) => void copy.set(as, bytesOf(copy, path).slice()));
}

export function missing(path: string): Damage {
  return (files) => changed(files, (copy) => void copy.delete(path));
}

/** Copies bytes within a file, as a misdirected write would. */
export function misdirect(path: string, from: number, length: number, to: number): Damage {
  return (files) =>
    changed(files, (copy) => void bytesOf(copy, path).copyWithin(to, from, from + length));
}

export function both(...damages: readonly Damage[]): Damage {
  return (files) => damages.reduce((current, damage) => damage(current), files);
}
