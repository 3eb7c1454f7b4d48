/**
 * Who holds a directory, as written into its lock file, and whether that owner is provably dead.
 * Proof is a pid that is gone, or one that now belongs to a process with another start time, or a
 * machine that has booted since. Age proves nothing: a stopped process may go on writing tomorrow.
 * Whatever cannot be found out (another host, another container's pids) counts as alive.
 */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

export interface LockOwner {
  /** Unique to this one attempt at the lock. */
  readonly token: string;
  readonly pid: number;
  /** 'kernel': the owner also has a kernel lock on the file. 'record': this record is all there is. */
  readonly method: 'kernel' | 'record';
  readonly host: string;
  /** Of the process, in clock ticks since boot. This and the next two are known on Linux only. */
  readonly startTime?: string | undefined;
  readonly bootId?: string | undefined;
  /** Pids of different namespaces (containers) say nothing about each other. */
  readonly pidNamespace?: string | undefined;
}

interface ProcessFacts {
  readonly isGone: boolean;
  readonly startTime: string | undefined;
}

/** The calling process as an owner. */
export async function currentOwner(token: string, method: LockOwner['method']): Promise<LockOwner> {
  return {
    token,
    pid: process.pid,
    method,
    host: hostname(),
    startTime: (await factsOf(process.pid)).startTime,
    bootId: await bootId(),
    pidNamespace: await pidNamespace(),
  };
}

export function ownerText(owner: LockOwner): string {
  return `${JSON.stringify(owner)}\n`;
}

/** The owner written in a lock file; undefined for a text that is none of ours. */
export function parseOwner(text: string): LockOwner | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const owner = value as Readonly<Record<string, unknown>>;
  const isOptionalText = (name: string): boolean =>
    owner[name] === undefined || typeof owner[name] === 'string';
  const isOwner =
    typeof owner['token'] === 'string' &&
    /^[0-9a-f]+$/.test(owner['token']) &&
    Number.isSafeInteger(owner['pid']) &&
    (owner['pid'] as number) > 0 &&
    (owner['method'] === 'kernel' || owner['method'] === 'record') &&
    typeof owner['host'] === 'string' &&
    ['startTime', 'bootId', 'pidNamespace'].every(isOptionalText);
  return isOwner ? (value as LockOwner) : undefined;
}

/** Was this record written on the running system: same machine, not booted since? */
export async function isOfThisBoot(owner: LockOwner): Promise<boolean> {
  const current = await bootId();
  if (current !== undefined && owner.bootId !== undefined) return owner.bootId === current;
  return owner.host === hostname();
}

/** Proof by process facts alone. False means alive or unknown. */
export async function isProvablyDead(owner: LockOwner): Promise<boolean> {
  if (owner.host !== hostname()) return false;
  if (differ(owner.bootId, await bootId())) return true;
  if (differ(owner.pidNamespace, await pidNamespace())) return false;
  const facts = await factsOf(owner.pid);
  return facts.isGone || differ(owner.startTime, facts.startTime);
}

/** Two known facts that are not the same; nothing follows from an unknown one. */
function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

async function factsOf(pid: number): Promise<ProcessFacts> {
  if (!answersSignals(pid)) return { isGone: true, startTime: undefined };
  const stat = await known(() => readFile(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return { isGone: false, startTime: undefined };
  // proc(5): the second field is a name in parentheses that may itself contain any character.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads, startTime] = [fields[0], Number(fields[17]), fields[19]];
  // A zombie runs no code, but a thread of its may still be inside a write to the disk.
  return { isGone: (state === 'Z' || state === 'X') && threads <= 1, startTime };
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, it is only not ours.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function bootId(): Promise<string | undefined> {
  return known(async () => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim());
}

function pidNamespace(): Promise<string | undefined> {
  return known(() => readlink('/proc/self/ns/pid'));
}

/** A fact of the system, or undefined where it does not tell: no /proc, or no right to look. */
async function known(look: () => Promise<string>): Promise<string | undefined> {
  try {
    return await look();
  } catch {
    return undefined;
  }
}
