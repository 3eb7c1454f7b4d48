/** The failures a process is put through by kill-shim.c, call by call, and how it is told of them and tells. */
import { constants } from 'node:os';
import type { Durability } from 'pawl';

export type Stage = 'create' | 'reopen';

/** One call of libc fails, the n-th of its kind, for n = `first`, `first + step`, ... until there are no so many. */
export interface Failure {
  readonly stage: Stage;
  readonly durability: Durability;
  /** As kill-shim.c has them. */
  readonly kind: string;
  readonly name: string;
  /** 0: the call does half of what it should; the rest in kill-shim.c. */
  readonly errno: number;
  /** How often; 0: from then on. */
  readonly times: number;
  readonly first: number;
  readonly step: number;
}

interface From {
  /** Records of prepare(). */
  readonly made: number;
  readonly acked: readonly number[];
  readonly sent: readonly number[];
}

export interface FailingPlan {
  readonly root: string;
  /** The store of the stage 'reopen'; its last process was killed in the middle of a frame. */
  readonly template: string;
  readonly from: Readonly<Record<Stage, From>>;
  /** Of each caller. */
  readonly commands: number;
  readonly failures: readonly Failure[];
}

/** What the callers of one run were told. */
export interface Told {
  readonly directory: string;
  /** Calls that failed. */
  fired: number;
  made: [atLeast: number, atMost: number];
  isPrepared: boolean;
  readonly acked: number[];
  /** Acknowledged, or of unknown outcome. */
  readonly sent: number[];
  /** What failed: call, code, outcome; each once. */
  readonly codes: string[];
}

/** A call that did its work and says it did not: so it is with what the system notices too late. */
const DONE = ' though done';
const DONE_ALL_THE_SAME = 1000;
/** Part of it was done, and what is tried again fails. libuv goes on with a short write by itself, so only this reaches us. */
const REST = ' for the rest';
const FIRST_SHORT = 2000;
const NAMES_FAIL = [`EIO${DONE}`, 'EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES'];
/** What each kind of call may answer on Linux. */
const ERRNOS: Readonly<Record<string, readonly string[]>> = {
  open: ['EIO', 'EMFILE', 'ENFILE', 'EACCES', 'EROFS', 'EINTR'],
  create: ['EMFILE', 'EINTR', ...NAMES_FAIL],
  write: [
    `EIO${DONE}`,
    'EIO',
    'ENOSPC',
    'EDQUOT',
    'EFBIG',
    'EINTR',
    'EAGAIN',
    'short',
    `EIO${REST}`,
    `EAGAIN${REST}`,
  ],
  read: ['EIO', 'EINTR', 'EAGAIN', 'short'],
  sync: [`EIO${DONE}`, 'EIO', 'ENOSPC', 'EDQUOT', 'EINTR'],
  rename: NAMES_FAIL,
  link: [...NAMES_FAIL, 'EPERM'],
  unlink: [`EIO${DONE}`, 'EIO', 'EROFS', 'EACCES', 'EPERM'],
  mkdir: NAMES_FAIL,
  close: ['EIO', 'EINTR', 'EDQUOT'],
};

function errnoOf(name: string): number {
  if (name === 'short') return 0;
  const [plain = ''] = name.split(' ');
  const errno = constants.errno[plain as keyof typeof constants.errno];
  if (name.endsWith(DONE)) return errno + DONE_ALL_THE_SAME;
  return name.endsWith(REST) ? errno + FIRST_SHORT : errno;
}

/** The system interrupts nothing for ever, and after a short write it is the second call that fails. */
function timesOf(name: string): readonly number[] {
  if (name === 'EINTR') return [1, 4];
  return name.endsWith(REST) ? [2, 4, 0] : [1, 4, 0];
}

/** A kind, what it answers, and how often. */
const WAYS = Object.entries(ERRNOS).flatMap(([kind, names]) =>
  names.flatMap((name) => timesOf(name).map((times) => ({ kind, name, times }))),
);

/**
 * Every kind with every answer it may give: once, four times in a row, from then on. With `thin`
 * above 1 only every so many calls are tried, begun at another one each time.
 */
export function plausibleFailures(thin: number): Failure[] {
  const stages = ['create', 'reopen'] as const;
  const all = stages.flatMap((stage) => WAYS.map((way) => ({ stage, ...way })));
  return all
    .filter(({ stage, kind }) => stage === 'create' || kind !== 'mkdir')
    .map(({ stage, kind, name, times }, index) => {
      const errno = errnoOf(name);
      // Of these there are few.
      const step = kind === 'link' || kind === 'mkdir' ? 1 : thin;
      const first = 1 + (index % step);
      const durability = index % 3 === 2 ? 'os' : 'always';
      return { stage, durability, kind, name, errno, times, first, step };
    });
}
