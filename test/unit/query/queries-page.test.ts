/** What docs/queries.md shows is what happens. */
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import * as limits from '../../../src/query/limits.ts';
import { matches } from '../../../src/query/match.ts';
import { OPERATORS } from '../../../src/query/operators.ts';
import { parseFilter } from '../../../src/query/parse-filter.ts';
import { valueIn } from '../../../src/query/paths.ts';
import { refusalOf } from './refusals.ts';

const page = readFileSync(new URL('../../../docs/queries.md', import.meta.url), 'utf8');
const between = (start: string, end: string): string =>
  page.slice(page.indexOf(start), page.indexOf(end));
const valueOf = (text: string): unknown => runInNewContext(`(${text})`);
const passes = (filter: unknown, context: unknown): boolean =>
  matches(parseFilter(filter, 'where'), (path) => valueIn(context, path));

describe('docs/queries.md', () => {
  it('every filter in its table holds for what it says, and not for the other', () => {
    const table = between('## Filters', '## Paths');
    const rows = [...table.matchAll(/^\| `(.+?)` +\| `(.+?)` +\| `(.+?)` +\|$/gm)];
    expect(rows.length).toBeGreaterThan(10);
    for (const [, filter, holding, other] of rows) {
      expect([filter, passes(valueOf(filter!), valueOf(holding!))]).toEqual([filter, true]);
      expect([filter, passes(valueOf(filter!), valueOf(other!))]).toEqual([filter, false]);
    }
  });

  it('names every operator', () => {
    const table = between('## Operators', 'Below a path, an object');
    const rows = [...table.matchAll(/^\| (`.+?`) +\|/gm)].map((match) => match[1]!);
    const names = rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map((match) => match[1]!));
    expect(names.toSorted()).toEqual(OPERATORS.toSorted());
  });

  it('what it says is refused is, at the place it says', () => {
    const filter = { total: { gte: 5, ltt: 9 } };
    expect(page).toContain('{ where: { total: { gte: 5, ltt: 9 } } }');
    expect(page).toContain(`// ${refusalOf(() => parseFilter(filter, 'where')).path}\n`);
    for (const text of ['{ gt: 5, lt: 3 }', "{ gt: 5, city: 'x' }"]) {
      expect(page).toContain(text);
      refusalOf(() => parseFilter({ total: valueOf(text) }, 'where'));
    }
    expect(page).toContain('{ gte: 5, lt: 5 }');
    expect(passes({ total: { gte: 5, lt: 5 } }, { total: 5 })).toBe(false);
  });

  it('the limits it names', () => {
    const table = page.slice(page.indexOf('| Limit, inclusive'), page.indexOf('## Cursors'));
    const shown = [...table.matchAll(/^\| [^|]+\| ([\d,]+)(?: bytes)? +\|$/gm)];
    expect(shown.map((match) => Number(match[1]!.replace(',', '')))).toEqual([
      limits.MAX_PATH_BYTES,
      limits.MAX_PATH_PARTS,
      limits.MAX_FILTER_NESTING,
      limits.MAX_CONDITIONS,
      limits.MAX_LIST_VALUES,
    ]);
  });
});
