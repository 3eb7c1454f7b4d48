/**
 * One owner per directory. The owner is whoever the file `lock` names; it gets there complete
 * (link or rename of a finished, synced file), so nobody ever reads half a record. The lock file
 * lies in the directory itself: symbolic links, bind mounts, two handles in one process and two
 * copies of this package all meet the same file, and no registry is needed.
 *
 * Taking over from a dead owner with token T: win the name `lock-after-T`, which one alone can;
 * look whether `lock` still names T; rename over it. Tokens never come again, so a late rival
 * fails one of the two steps. Whoever died in between is succeeded by the same rule.
 */
import { constants } from 'node:fs';
import { link, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { statOf } from './file-calls.ts';
import type { DirectoryLock } from './file-io.ts';
import { type KernelLock, loadKernelLock } from './kernel-lock.ts';
import {
  type LockOwner,
  currentOwner,
  isOfThisBoot,
  isProvablyDead,
  ownerText,
  parseOwner,
} from './lock-owner.ts';
import { type NodeFileHandle, openFile } from './node-file-handle.ts';
import { systemRandom } from './random.ts';

const LOCK_NAME = 'lock';
/** Claims (`lock-T`) and successions (`lock-after-T`) of attempts that were killed. */
const LEFTOVER = /^lock-(?:after-)?[0-9a-f]+$/;
/** A claim alone: a succession is the link of a finished one. */
const CLAIM = /^lock-[0-9a-f]+$/;
/** A record has some 300 bytes; a longer file is not one of ours. */
const MAX_RECORD_BYTES = 4096;
/** Times one attempt may find the lock changed under its hands before it gives way to the others. */
const MAX_ROUNDS = 16;
/** statfs types of file systems only one kernel has mounted: ext, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010,
]);

/** Our own finished record under a name nobody else uses, ready to be linked into place. */
interface Claim {
  readonly path: string;
  readonly file: NodeFileHandle;
  readonly identity: string;
  readonly owner: LockOwner;
  readonly kernel: KernelLock | null;
}

/** What is written in a lock file; `owner` is undefined when it cannot be read. */
interface Found {
  readonly owner: LockOwner | undefined;
  readonly isDead: boolean;
}

/**
 * Takes the lock of a directory, or says who has it. Never waits. `kernel` is for tests: null does
 * without the kernel's locks, as on a machine where the native package is missing.
 */
export async function lockDirectory(
  directory: string,
  kernel: KernelLock | null = loadKernelLock(),
): Promise<DirectoryLock | { readonly heldBy: number | undefined }> {
  for (let round = 1; ; round++) {
    const claim = await makeClaim(directory, kernel);
    try {
      return await settle(claim, directory);
    } catch (error) {
      // Before we had written our claim, an owner may have taken it for what a dead attempt left.
      if (!hasCode(error, 'ENOENT') || round === MAX_ROUNDS) throw error;
    }
  }
}

async function settle(
  claim: Claim,
  directory: string,
): Promise<DirectoryLock | { readonly heldBy: number | undefined }> {
  const path = join(directory, LOCK_NAME);
  const lock = heldLock(claim, path);
  try {
    const holder = await place(claim, path);
    await unlinkIfThere(claim.path);
    if (holder === undefined) {
      await sweep(directory, claim.kernel);
      return lock;
    }
    await lock.release();
    return { heldBy: holder.owner?.pid };
  } catch (error) {
    await lock.release();
    await unlinkIfThere(claim.path);
    throw error;
  }
}

async function makeClaim(directory: string, kernel: KernelLock | null): Promise<Claim> {
  const token = Buffer.from(systemRandom.bytes(12)).toString('hex');
  const path = join(directory, `${LOCK_NAME}-${token}`);
  const file = await openFile(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
  try {
    const owner = await currentOwner(token, takeKernelLock(kernel, file.fd) ? 'kernel' : 'record');
    const text = Buffer.from(ownerText(owner));
    file.writeSync(text, 0, text.length, 0);
    // Else a power cut could leave the name with nothing in it, an owner nobody can prove dead.
    await file.sync();
    return { path, file, identity: (await file.stat()).identity, owner, kernel };
  } catch (error) {
    await file.close();
    await unlinkIfThere(path);
    throw error;
  }
}

function takeKernelLock(kernel: KernelLock | null, fd: number): boolean {
  try {
    return kernel?.tryTake(fd) ?? false;
  } catch {
    // Some network file systems have no locks; the record is then all others can go by.
    return false;
  }
}

/** Puts the claim at `path`; answers with whoever stands in the way, or undefined when it is ours. */
async function place(claim: Claim, path: string): Promise<Found | undefined> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (await linkIfFree(claim.path, path)) return undefined;
    const found = await inspect(path, claim.kernel);
    if (found === undefined) continue;
    // A network file system may answer EEXIST to the repetition of a link that succeeded.
    if (found.owner?.token === claim.owner.token) return undefined;
    if (!found.isDead || found.owner === undefined) return found;
    const succession = join(dirname(path), `${LOCK_NAME}-after-${found.owner.token}`);
    const rival = await place(claim, succession);
    if (rival !== undefined) return rival;
    if (await succeed(path, succession, found.owner.token)) return undefined;
  }
  return { owner: undefined, isDead: false };
}

/** Moves our record over that of the dead owner, unless somebody was faster. */
async function succeed(path: string, succession: string, deadToken: string): Promise<boolean> {
  let isMoved = false;
  try {
    if ((await tokenAt(path)) === deadToken) {
      await rename(succession, path);
      isMoved = true;
    }
  } finally {
    if (!isMoved) await unlink(succession);
  }
  return isMoved;
}

async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** undefined when the file is gone. Record and kernel lock are read through one descriptor: one file. */
async function inspect(path: string, kernel: KernelLock | null): Promise<Found | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const owner = await ownerIn(file);
    if (owner === undefined) return { owner, isDead: false };
    if (kernel === null || owner.method === 'record') {
      return { owner, isDead: await isProvablyDead(owner) };
    }
    const isDead = kernel.isFree(file.fd) && (await isKernelLockDecisive(owner, dirname(path)));
    return { owner, isDead };
  } finally {
    await file.close();
  }
}

/**
 * Does our kernel speak for the owner's? Not when the record comes from another machine: a shared
 * directory may be mounted without passing locks on.
 */
async function isKernelLockDecisive(owner: LockOwner, directory: string): Promise<boolean> {
  if (process.platform !== 'linux' || (await isOfThisBoot(owner))) return true;
  if (await isProvablyDead(owner)) return true;
  return LOCAL_FILE_SYSTEMS.has((await statfs(directory)).type);
}

async function tokenAt(path: string): Promise<string | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  try {
    return (await ownerIn(file))?.token;
  } finally {
    await file.close();
  }
}

async function ownerIn(file: NodeFileHandle): Promise<LockOwner | undefined> {
  const bytes = Buffer.alloc(MAX_RECORD_BYTES);
  return parseOwner(bytes.toString('utf8', 0, await file.read(bytes, 0, bytes.length, 0)));
}

async function openIfThere(path: string): Promise<NodeFileHandle | undefined> {
  try {
    return await openFile(path, constants.O_RDONLY);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Removes what killed attempts left behind: dead records, and claims nobody has finished writing.
 * Should one of those be a living attempt's, it finds it gone and makes another.
 */
async function sweep(directory: string, kernel: KernelLock | null): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!LEFTOVER.test(name)) continue;
    const path = join(directory, name);
    const found = await inspect(path, kernel);
    const isUnfinished = found?.owner === undefined && CLAIM.test(name);
    if (found !== undefined && (found.isDead || isUnfinished)) await unlinkIfThere(path);
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** The descriptor stays open for as long as the lock: it carries the kernel lock, and keeps the inode from being used again. */
function heldLock(claim: Claim, path: string): DirectoryLock {
  let released: Promise<void> | undefined;
  const isHeld = async (): Promise<boolean> => {
    if (released !== undefined) return false;
    return (await identityAt(path)) === claim.identity;
  };
  const giveBack = async (): Promise<void> => {
    try {
      // Only an owner replaces or removes `lock`, and that is us: nobody can slip in between.
      if ((await identityAt(path)) === claim.identity) await unlink(path);
    } finally {
      await claim.file.close();
    }
  };
  return { isHeld, release: () => (released ??= giveBack()) };
}

async function identityAt(path: string): Promise<string | undefined> {
  try {
    return statOf(await stat(path, { bigint: true })).identity;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
