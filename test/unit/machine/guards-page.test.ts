/** What docs/guards.md shows is what happens. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explainGuard, parseGuard, validateDefinition } from '../../../src/machine/index.ts';
import { MAX_GUARD_LENGTH, MAX_NESTING } from '../../../src/machine/limits.ts';
import { refusalOf } from './errors.ts';

const page = readFileSync(new URL('../../../docs/guards.md', import.meta.url), 'utf8');

describe('docs/guards.md', () => {
  it('every guard in its table of examples is one, in normal form', () => {
    const table = page.slice(page.indexOf('## Examples'), page.indexOf('## Several rules'));
    const guards = [...table.matchAll(/^\| `(.+?)` +\|/gm)].map((match) =>
      (match[1] as string).replaceAll('\\|', '|'),
    );
    expect(guards.length).toBeGreaterThan(5);
    expect(guards.map((guard) => parseGuard(guard).text)).toEqual(guards);
  });

  it('what it says of a guard that fails', () => {
    expect(page).toContain("// { passed: false, failing: 'ctx.total > 100', value: 90 }");
    expect(
      explainGuard(parseGuard('ctx.paid && ctx.total > 100'), { paid: true, total: 90 }),
    ).toEqual({ passed: false, failing: 'ctx.total > 100', value: 90 });
  });

  it('what it says of a guard that cannot be read', () => {
    const { details } = refusalOf(() =>
      validateDefinition({
        name: 'order',
        version: 1,
        states: ['a', 'b'],
        initial: 'a',
        transitions: [{ from: 'a', event: 'GO', to: 'b', guard: 'ctx.total = 5' }],
      }),
    );
    const shown = Object.entries(details).map(([key, value]) =>
      typeof value === 'string' ? `${key}: '${value}'` : `${key}: ${String(value)}`,
    );
    expect(page).toContain(`// { ${shown.join(', ')} }`);
  });

  it('the limits it names', () => {
    expect(page).toContain(`${MAX_GUARD_LENGTH.toLocaleString('en-US')} UTF-16 units`);
    expect(page).toContain(`${MAX_NESTING} levels`);
  });
});
