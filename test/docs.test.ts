/**
 * What README and docs show is what happens. A snippet marked `ts run` is a module of its own: it
 * is run in an empty directory, and `expression; // => value` in it is an assertion. Every other
 * TypeScript or JavaScript snippet must compile against the package. Lists of codes, options and
 * statistics are compared with the code.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../src/base/error-codes.ts';
import { settingsOf } from '../src/engine/options.ts';
import { openStore } from '../src/index.ts';
import { assertionsIn, snippetsOf, withAssertions } from './docs/snippets.ts';
import { LAYERS } from './tidy/layers.ts';
import { ROOT, projectFiles, shippedSources, textOf } from './tidy/sources.ts';

const pages = projectFiles().filter((path) => path === 'README.md' || /^docs\/.*\.md$/.test(path));
const snippets = pages.flatMap((path) => snippetsOf(path, textOf(path)));
const runnable = snippets.filter((snippet) => snippet.isRun);

const LAMP = {
  name: 'lamp',
  version: 1,
  states: ['off', 'on'],
  initial: 'off',
  transitions: [{ from: 'off', event: 'PRESS', to: 'on' }],
};

/** Gives `use` a directory that is gone afterwards. */
async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'pawl-docs-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('snippets', () => {
  it('are found, and the first screen of the README is one that runs', () => {
    expect(snippets.length).toBeGreaterThan(4);
    expect(runnable[0]?.page).toBe('README.md');
    expect(runnable[0]?.line).toBeLessThan(12);
  });

  it.each(runnable.map((snippet) => [`${snippet.page}:${snippet.line}`, snippet] as const))(
    '%s runs, and gives what it says',
    async (_, { code }) => {
      await inDirectory(async (directory) => {
        const path = join(directory, 'snippet.mts');
        await writeFile(path, withAssertions(code));
        const before = process.cwd();
        let seen = 0;
        const check = (actual: unknown, expected: unknown): void => {
          seen++;
          expect(actual).toEqual(expected);
        };
        Object.assign(globalThis, { checkSnippet: check });
        process.chdir(directory);
        try {
          await import(/* @vite-ignore */ path);
        } finally {
          process.chdir(before);
          Reflect.deleteProperty(globalThis, 'checkSnippet');
        }
        expect(seen).toBe(assertionsIn(code));
      });
    },
  );

  it('all compile', { timeout: 60_000 }, async () => {
    const output = await inDirectory((directory) => compileAll(directory));
    expect(output).toBe('');
  });
});

/** What the compiler says about all snippets, each a module; '' when they are right. */
async function compileAll(directory: string): Promise<string> {
  const names: string[] = [];
  for (const { page, line, code } of snippets) {
    const name = `${page.replaceAll(/[/.]/g, '-')}-${line}.mts`;
    names.push(name);
    await writeFile(join(directory, name), `${code}\nexport {};\n`);
  }
  await mkdir(join(directory, 'node_modules'));
  const config = {
    extends: `${ROOT}test/tsconfig.json`,
    compilerOptions: {
      rootDir: '/',
      noUnusedLocals: false,
      typeRoots: [`${ROOT}node_modules/@types`],
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
    },
    files: names,
    include: [],
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
  const tsc = `${ROOT}node_modules/typescript/bin/tsc`;
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', directory], (error, output) => {
      resolve(output === '' && error !== null ? error.message : output);
    });
  });
}

describe('lists', () => {
  it('docs/errors.md calls reserved exactly the codes that nothing raises', () => {
    const page = textOf('docs/errors.md');
    const reserved = [...page.slice(page.indexOf('## Reserved')).matchAll(/^### `([A-Z_]+)`$/gm)];
    const text = shippedSources()
      .filter((path) => !path.startsWith('src/base/error'))
      .map(textOf)
      .join('\n');
    const unraised = ERROR_CODES.filter((code) => !text.includes(`'${code}'`));
    // Raised by a function beside the class.
    const raised = new Set(['BAD_REQUEST']);
    expect(reserved.map((match) => match[1])).toEqual(unraised.filter((code) => !raised.has(code)));
  });
});

/** Names in the first column of the table behind a heading. */
function namesUnder(path: string, heading: string): string[] {
  const page = textOf(path);
  const section = page.slice(page.indexOf(`## ${heading}\n`)).split(/^## /m)[1] ?? '';
  return [...section.matchAll(/^\| `([\w.]+)` +\|/gm)].map((match) => match[1]!);
}

/** Names of all values, those inside objects dotted. */
function leavesOf(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'object' && !Array.isArray(inner)
      ? leavesOf(inner, `${prefix}${name}.`)
      : [prefix + name],
  );
}

describe('docs/architecture.md', () => {
  it('has a row for every layer there is', () => {
    const page = textOf('docs/architecture.md');
    const table = page.slice(page.indexOf('## Layers'), page.indexOf('## Ports'));
    const present = LAYERS.map(({ at }) => at).filter((at) => existsSync(ROOT + at));
    expect(present.filter((at) => !table.includes(`\`${at}\``))).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  it('names every statistic of a store on disk, in its order', async () => {
    await inDirectory(async (directory) => {
      const store = await openStore(directory);
      await store.machines.put(LAMP);
      await store.instances.create({ machine: 'lamp', id: 'hall', idempotencyKey: 'k' });
      const names = leavesOf(store.stats());
      await store.close();
      expect(namesUnder('docs/operations.md', 'Statistics')).toEqual(names);
    });
  });

  it('names every option, with its default', () => {
    const api = textOf('src/engine/api/store.ts');
    const optionsIn = (type: string): string[] => {
      const body = api
        .split(new RegExp(`^export interface ${type} .*\\{$`, 'm'))[1]
        ?.split('\n}')[0];
      return [...(body ?? '').matchAll(/^ {2}(\w+)\?:/gm)].map((match) => match[1]!);
    };
    const expected = [
      ...optionsIn('StoreOptions').filter((name) => name !== 'idempotency'),
      ...optionsIn('ReadOptions'),
      ...optionsIn('IdempotencyOptions').map((name) => `idempotency.${name}`),
    ];
    expect(expected.length).toBeGreaterThan(12);
    const names = namesUnder('docs/operations.md', 'Options');
    expect([...names].sort()).toEqual(expected.sort());
    const { snapshots, ...others } = settingsOf(undefined, false);
    const settings: Readonly<Record<string, unknown>> = { ...others, ...snapshots };
    const renamed: Readonly<Record<string, string>> = {
      'idempotency.retentionMs': 'keyRetentionMs',
      'idempotency.maxKeys': 'maxKeys',
      'idempotency.maxBytes': 'maxKeyBytes',
      'idempotency.mismatch': 'mismatch',
      snapshotInterval: 'interval',
      compaction: 'isCompacting',
      archive: 'isArchiving',
      keepSnapshots: 'keep',
    };
    for (const [, name, shown] of textOf('docs/operations.md').matchAll(
      /^\| `([\w.]+)` +\| `([^`]+)` +\|/gm,
    )) {
      const value = settings[renamed[name!] ?? name!];
      if (name === 'readOnly' || name === 'follow') continue;
      expect([name, typeof value === 'string' ? `'${value}'` : String(value)]).toEqual([
        name,
        shown,
      ]);
    }
  });
});

describe('the reader of snippets', () => {
  const page = [
    '# Page',
    '',
    '```ts run',
    "import { a } from 'a';",
    '',
    'a(1); // => [1, 2]',
    'const b = a(2); // => not an assertion: it declares',
    '```',
    '```sh',
    'npm ci',
    '```',
    '  ```js',
    '  x;',
    '  ```',
  ].join('\n');

  it('finds code in TypeScript and JavaScript, and where it stands', () => {
    const found = snippetsOf('p.md', page);
    expect(found.map(({ line, isRun }) => [line, isRun])).toEqual([
      [4, true],
      [13, false],
    ]);
    expect(found[1]?.code).toBe('x;');
  });

  it('makes an assertion of an expression with an arrow behind it, and of nothing else', () => {
    const { code } = snippetsOf('p.md', page)[0]!;
    expect(assertionsIn(code)).toBe(1);
    expect(withAssertions(code)).toContain('checkSnippet((a(1)), ([1, 2]));');
    expect(withAssertions(code)).toContain('const b = a(2); // =>');
  });
});
