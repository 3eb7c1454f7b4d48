/** File name <-> segment number: '00000001.wal'. While a segment is being prepared its name ends in '.new'. */

const NAME = /^(\d{8,10})\.wal$/;
const UNFINISHED = '.new';

export const MANIFEST_NAME = 'manifest';
export const UNFINISHED_MANIFEST_NAME: string = MANIFEST_NAME + UNFINISHED;
export const RESERVE_NAME = 'reserve';
export const UNFINISHED_RESERVE_NAME: string = RESERVE_NAME + UNFINISHED;

/** Numbers end here: they are 32 bits in the format. */
const MAX_SEGMENT_NUMBER: number = 2 ** 32 - 1;

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.wal`;
}

export function unfinishedName(number: number): string {
  return segmentName(number) + UNFINISHED;
}

/** The number, or undefined when the name is not exactly the one a segment would have. */
export function segmentNumber(name: string): number | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const number = Number(match[1]);
  return number > 0 && number <= MAX_SEGMENT_NUMBER && segmentName(number) === name
    ? number
    : undefined;
}

/** Left behind by a process that died while making the file. */
export function isUnfinishedName(name: string): boolean {
  if (name === UNFINISHED_MANIFEST_NAME || name === UNFINISHED_RESERVE_NAME) return true;
  return (
    name.endsWith(UNFINISHED) && segmentNumber(name.slice(0, -UNFINISHED.length)) !== undefined
  );
}
