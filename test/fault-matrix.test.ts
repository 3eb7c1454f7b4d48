/**
 * The fault matrix of docs/testing.md is true: each row names tests that exist and speak of the
 * fault, and no fault is left out.
 */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ROOT, textOf } from './tidy/sources.ts';

/** Sections 0 to 4 of the list of faults, and the numbers to reach. */
const FAULTS = [
  ...'abcdefg'.split('').map((letter) => `F-0${letter}`),
  ...numbers(1, 17),
  ...numbers(20, 31),
  ...numbers(32, 44),
  ...numbers(50, 57),
  ...numbers(71, 73),
  ...numbers(100, 108),
];
/** A fault that comes with a part that is not there yet, or is documented only. */
const WITHOUT_TEST = /^(?:comes with|not tested|by hand)/;

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `F-${from + i}`);
}

function rows(): [fault: string, tests: string][] {
  const page = textOf('docs/testing.md');
  const table = page.slice(page.indexOf('## The fault matrix'));
  return [...table.matchAll(/^\| (F-\d+[a-g]?) +\|[^|]*\| *([^|]*?) *\|$/gm)].map((match) => [
    match[1] as string,
    match[2] as string,
  ]);
}

it('has a row for every fault, once', () => {
  expect(rows().map(([fault]) => fault)).toEqual(FAULTS);
});

it.each(rows())('%s is held by the tests it names', (fault, tests) => {
  if (WITHOUT_TEST.test(tests)) return;
  const files = [...tests.matchAll(/`([\w./-]+)`/g)].map((match) => `test/${match[1]}`);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    expect([file, existsSync(ROOT + file)]).toEqual([file, true]);
    expect([file, new RegExp(`\\b${fault}\\b`).test(textOf(file))]).toEqual([file, true]);
  }
});
