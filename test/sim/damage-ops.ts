/**
 * Damage as text: 'flip:FILE:BYTE:BIT+zero:FILE:FROM:TO', so that a token can name it and it can be
 * done again. Files are names in the directory of the store. Blocks and files come from the store
 * itself or from a relative (damage-sample.ts).
 */
import { badRequest } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { DIRECTORY } from './frozen-io.ts';
import type { Relative } from './damage-sample.ts';

export type RelativeFiles = (relative: Relative) => ReadonlyMap<string, Uint8Array>;

interface Doing {
  /** Files as they are now; those that were changed are copies. */
  readonly files: Map<string, Uint8Array>;
  readonly before: ReadonlyMap<string, Uint8Array>;
  readonly relatives: RelativeFiles;
}

type Op = (doing: Doing, args: readonly string[]) => void;

/** Bytes of a file, to be changed. */
function own({ files, before }: Doing, name: string | undefined): Uint8Array {
  const path = `${DIRECTORY}/${name}`;
  const bytes = files.get(path);
  if (bytes === undefined) throw badRequest(`there is no file '${name}'`, 'token');
  if (bytes !== before.get(path)) return bytes;
  const copy = bytes.slice();
  files.set(path, copy);
  return copy;
}

function relatedFile(
  doing: Doing,
  relative: string | undefined,
  name: string | undefined,
): Uint8Array {
  const from = doing.relatives(relative as Relative).get(`${DIRECTORY}/${name}`);
  if (from === undefined) throw badRequest(`'${relative}' has no file '${name}'`, 'token');
  return from;
}

const OPS: Readonly<Record<string, Op>> = {
  flip(doing, [name, at, bit]) {
    const bytes = own(doing, name);
    bytes[Number(at)] = (bytes[Number(at)] as number) ^ (1 << Number(bit));
  },
  zero: (doing, [name, from, to]) => void own(doing, name).fill(0, Number(from), Number(to)),
  ones: (doing, [name, from, to]) => void own(doing, name).fill(255, Number(from), Number(to)),
  noise(doing, [name, from, to, seed]) {
    const bytes = own(doing, name);
    bytes.set(seededRandom(Number(seed)).bytes(Number(to) - Number(from)), Number(from));
  },
  cut(doing, [name, length]) {
    doing.files.set(`${DIRECTORY}/${name}`, own(doing, name).slice(0, Number(length)));
  },
  grow(doing, [name, more]) {
    const bytes = own(doing, name);
    const grown = new Uint8Array(bytes.length + Number(more));
    grown.set(bytes);
    doing.files.set(`${DIRECTORY}/${name}`, grown);
  },
  gone: (doing, [name]) => void (own(doing, name) && doing.files.delete(`${DIRECTORY}/${name}`)),
  swap(doing, [one, other]) {
    const bytes = own(doing, one);
    doing.files.set(`${DIRECTORY}/${one}`, own(doing, other)).set(`${DIRECTORY}/${other}`, bytes);
  },
  again: (doing, [name, as]) =>
    void doing.files.set(`${DIRECTORY}/${as}`, own(doing, name).slice()),
  named(doing, [name, as]) {
    doing.files.set(`${DIRECTORY}/${as}`, own(doing, name)).delete(`${DIRECTORY}/${name}`);
  },
  /** A block that went to a wrong place, or came from one. */
  block(doing, [relative, name, from, length, to, at]) {
    const source = relatedFile(doing, relative, name);
    const bytes = own(doing, to);
    const start = Number(from);
    const count = Math.min(Number(length), source.length - start, bytes.length - Number(at));
    bytes.set(source.subarray(start, start + count), Number(at));
  },
  file: (doing, [relative, name, as]) =>
    void doing.files.set(`${DIRECTORY}/${as}`, relatedFile(doing, relative, name).slice()),
  stray: (doing, [name]) => void doing.files.set(`${DIRECTORY}/${name}`, Uint8Array.of(1, 2, 3)),
};

/** The files with that done to them. @throws {StoreError} BAD_REQUEST - it says nothing that can be done. */
export function damaged(
  before: ReadonlyMap<string, Uint8Array>,
  ops: string,
  relatives: RelativeFiles,
): Map<string, Uint8Array> {
  const files = new Map(before);
  for (const op of ops.split('+')) {
    const [kind = '', ...args] = op.split(':');
    const run = Object.hasOwn(OPS, kind) ? OPS[kind] : undefined;
    if (run === undefined) throw badRequest(`'${op}' is no damage`, 'token');
    run({ files, before, relatives }, args);
  }
  return files;
}
