/** How a crash state is named so that it can be made again: which workload, which life, where, and what was kept. */
import { badRequest } from '../base/errors.ts';

export interface CrashToken {
  /** Seed of the workload's first life. */
  readonly seed: number;
  /** Each crash on the way: the lives before the last, the last, and one more when it came while opening. */
  readonly crashes: readonly { readonly point: number; readonly choice: string }[];
  /** The last crash came while the oracle opened what the one before it had left. */
  readonly isNested: boolean;
}

export function tokenOf({ seed, crashes, isNested }: CrashToken): string {
  const steps = crashes.map(({ point, choice }) => `${point}@${choice}`);
  return [seed, ...steps].join('/') + (isNested ? '/nested' : '');
}

/** @throws {StoreError} BAD_REQUEST - not of that form. */
export function parseToken(text: string): CrashToken {
  const parts = text.split('/');
  const isNested = parts.at(-1) === 'nested';
  if (isNested) parts.pop();
  const digits = parts.shift() ?? '';
  const seed = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
  const crashes = parts.map((part) => {
    const [, point, choice] = /^(\d+)@(kill(?:~\w+)?|cut:[\w.]*)$/.exec(part) ?? [];
    return { point: Number(point), choice: choice ?? '' };
  });
  const isWhole = crashes.every(
    ({ point, choice }) => Number.isSafeInteger(point) && choice !== '',
  );
  if (!Number.isSafeInteger(seed) || crashes.length < (isNested ? 2 : 1) || !isWhole)
    throw badRequest(`'${text}' is no token of a crash`, 'replay', 'what a violation printed');
  return { seed, crashes, isNested };
}
