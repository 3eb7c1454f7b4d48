/** Which file calls there are, which errors each of them can plausibly end with, and of what class those are. */

export type CallKind =
  | 'open'
  | 'reopen'
  | 'create'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'close'
  | 'stat'
  | 'fstat'
  | 'list'
  | 'mkdir'
  | 'rename'
  | 'remove'
  | 'syncdir'
  | 'resolve'
  | 'lock'
  | 'held'
  | 'unlock';

/** Calls that can have taken effect although they report a failure. */
export const CHANGING: ReadonlySet<CallKind> = new Set<CallKind>([
  'create',
  'write',
  'sync',
  'truncate',
  'close',
  'mkdir',
  'rename',
  'remove',
  'syncdir',
  'unlock',
]);

/** One error of each class stands for the others in the short form of the test. */
export type ErrorClass = 'device' | 'room' | 'descriptors' | 'permission' | 'vanished';
export const CLASSES: Readonly<Record<ErrorClass, readonly string[]>> = {
  device: ['EIO'],
  room: ['ENOSPC', 'EDQUOT', 'EFBIG'],
  descriptors: ['EMFILE', 'ENFILE'],
  permission: ['EROFS', 'EACCES', 'EPERM'],
  vanished: ['ENOENT'],
};

const FULL = ['ENOSPC', 'EDQUOT'];
const MANY = ['EMFILE', 'ENFILE'];
const DENIED = ['EACCES', 'EPERM'];

/** A file that is gone makes opening, renaming and removing fail; reading and writing what is open does not notice. */
const ERRORS: Readonly<Record<CallKind, readonly string[]>> = {
  open: ['EIO', ...MANY, ...DENIED, 'ENOENT'],
  reopen: ['EIO', ...MANY, ...DENIED, 'EROFS', 'ENOENT'],
  create: ['EIO', ...FULL, ...MANY, ...DENIED, 'EROFS', 'ENOENT'],
  read: ['EIO'],
  write: ['EIO', ...FULL, 'EFBIG', 'EROFS', 'EPERM'],
  sync: ['EIO', ...FULL, 'EROFS'],
  truncate: ['EIO', ...FULL, 'EFBIG', 'EROFS', 'EPERM'],
  close: ['EIO', ...FULL],
  stat: ['EIO', 'EACCES'],
  fstat: ['EIO'],
  list: ['EIO', ...MANY, 'EACCES', 'ENOENT'],
  mkdir: ['EIO', ...FULL, ...DENIED, 'EROFS', 'ENOENT'],
  rename: ['EIO', ...FULL, ...DENIED, 'EROFS', 'ENOENT'],
  remove: ['EIO', ...DENIED, 'EROFS', 'ENOENT'],
  syncdir: ['EIO', ...FULL, ...MANY, ...DENIED, 'EROFS', 'ENOENT'],
  resolve: ['EIO', 'EACCES', 'ENOENT'],
  lock: ['EIO', ...FULL, ...MANY, ...DENIED, 'EROFS', 'ENOENT'],
  held: ['EIO', 'EACCES', 'ENOENT'],
  unlock: ['EIO', ...DENIED, 'EROFS'],
};

export const CALL_KINDS: readonly CallKind[] = Object.keys(ERRORS) as CallKind[];

export function plausibleErrors(kind: CallKind): readonly string[] {
  return ERRORS[kind];
}

export function isPlausible(kind: CallKind, errno: string): boolean {
  return ERRORS[kind].includes(errno);
}

/** Ways in which a call of this kind can fail: each before it takes effect, and those after it that there are. */
export function effectsOf(kind: CallKind): readonly ('before' | 'after' | 'half')[] {
  if (kind === 'write') return ['before', 'after', 'half'];
  return CHANGING.has(kind) ? ['before', 'after'] : ['before'];
}
