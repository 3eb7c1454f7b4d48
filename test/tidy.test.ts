/**
 * The house rules that no compiler knows. Each failure names the file and what to do instead.
 * Rules about a single expression (promises, casts, function length) are the linter's.
 */
import { existsSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../src/base/error-codes.ts';
import { BANS, isAllowed, layerOf } from './tidy/layers.ts';
import { expectedOverrides, lintConfig } from './tidy/lint-overrides.ts';
import {
  ROOT,
  headerOf,
  importsOf,
  projectFiles,
  resolveImport,
  shippedSources,
  textOf,
  withoutComments,
} from './tidy/sources.ts';

const MAX_LINES = 300;
const MAX_BLOB_BYTES = 256 * 1024;
/** Larger files that are meant to be here, with the size they may have. */
const LARGE_FILES: Readonly<Record<string, number>> = {
  'docs/examples/data/traffic-fines.events.ndjson.gz': 400 * 1024,
};

const sources = shippedSources();
const markdown = projectFiles().filter((path) => path.endsWith('.md'));
const tests = projectFiles().filter(
  (path) => /^test\/.*\.ts$/.test(path) && path !== 'test/tidy.test.ts',
);

describe('layers', () => {
  it('every source file belongs to a layer of the table', () => {
    expect(sources.length).toBeGreaterThan(10);
    expect(sources.filter((path) => layerOf(path) === undefined)).toEqual([]);
  });

  it('a file imports only from its own layer and those the table allows', () => {
    const breaches: string[] = [];
    for (const path of sources) {
      const own = layerOf(path);
      for (const specifier of importsOf(textOf(path))) {
        const target = resolveImport(path, specifier);
        if (own === undefined || target === undefined) continue;
        const at = layerOf(target)?.at;
        if (at === own.at) continue;
        if (at === undefined || !own.may.includes(at)) breaches.push(`${path} imports ${target}`);
      }
    }
    expect(breaches).toEqual([]);
  });

  it('a pure layer names no Node module and no Node global', () => {
    const breaches: string[] = [];
    for (const path of sources.filter((source) => layerOf(source)?.pure === true)) {
      const text = textOf(path);
      const nodeModules = importsOf(text).filter((specifier) => specifier.startsWith('node:'));
      const globals = withoutComments(text).match(/\b(?:Buffer|process)\b/g) ?? [];
      for (const name of [...nodeModules, ...globals]) breaches.push(`${path} uses ${name}`);
    }
    expect(breaches).toEqual([]);
  });

  it('only entry points are named index.ts, and src/index.ts only re-exports', () => {
    const exported = Object.values(packageJson().exports).flatMap((target) =>
      typeof target === 'string'
        ? []
        : [target.default.replace('./dist/', '').replace('.js', '.ts')],
    );
    const indexes = sources.filter((path) => path.endsWith('/index.ts'));
    expect(indexes.filter((path) => !exported.includes(path))).toEqual([]);
    const root = withoutComments(textOf('src/index.ts'));
    const rest = root.replace(/\bexport\s+(?:type\s+)?(?:\{[^}]*\}|\*)\s+from\s+'[^']+';/g, '');
    expect(rest.trim()).toBe('');
  });

  it('the linter knows the same table', () => {
    const expected = expectedOverrides();
    expect(lintConfig().overrides.slice(0, expected.length)).toEqual(expected);
  });
});

describe('calls', () => {
  it.each(BANS.map((ban) => [ban.what, ban] as const))('%s: only in its port', (_, ban) => {
    const breaches = sources
      .filter((path) => !isAllowed(ban, path) && ban.pattern.test(withoutComments(textOf(path))))
      .map((path) => `${path}: use ${ban.instead}`);
    expect(breaches).toEqual([]);
  });
});

describe('files', () => {
  it('every source file opens with a comment that says what it owns', () => {
    const all = projectFiles().filter((path) => /^(?:src|wal|docs)\/.*\.ts$/.test(path));
    expect(all.filter((path) => (headerOf(textOf(path))?.length ?? 0) < 40)).toEqual([]);
  });

  it(`no source file is longer than ${MAX_LINES} lines`, () => {
    const lengths = sources.map((path) => [textOf(path).split('\n').length - 1, path] as const);
    expect(lengths.filter(([lines]) => lines > MAX_LINES)).toEqual([]);
  });

  it('names are kebab-case and say something', () => {
    const kebab = /\/[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+(?:-d)?)*\.m?[jt]s$/;
    const all = projectFiles().filter((path) => /\.m?[jt]s$/.test(path));
    expect(all.filter((path) => !kebab.test(path))).toEqual([]);
    const drawers = /\/(?:utils?|helpers?|common|misc)\.m?[jt]s$/;
    expect(all.filter((path) => drawers.test(path))).toEqual([]);
  });

  it('a large file is here on purpose', () => {
    const large = projectFiles()
      .map((path) => [path, statSync(ROOT + path).size] as const)
      .filter(([path, sizeBytes]) => sizeBytes > (LARGE_FILES[path] ?? MAX_BLOB_BYTES));
    expect(large).toEqual([]);
  });

  it('nothing unfinished is marked in the source', () => {
    const marks = /\bFIXME\b|\bXXX\b|\bTODO\b(?!\(#\d+\))|@ts-(?:ignore|nocheck)/;
    expect(sources.filter((path) => marks.test(textOf(path)))).toEqual([]);
  });

  it('no module keeps state: top-level bindings are constant', () => {
    const breaches = sources.filter((path) => /^(?:export )?(?:let|var) /m.test(textOf(path)));
    expect(breaches).toEqual([]);
  });
});

describe('documents', () => {
  it('docs/errors.md has one heading for each code, and no other code', () => {
    const headings = [...textOf('docs/errors.md').matchAll(/^#+ +`?([A-Z][A-Z_]+)`?\s*$/gm)];
    expect(headings.map((match) => match[1]!).sort()).toEqual([...ERROR_CODES].sort());
  });

  it('every code the source raises is provoked by a test', () => {
    const quoted = (text: string): string[] => text.match(/(?<=')[A-Z]+(?:_[A-Z]+)*(?=')/g) ?? [];
    const codes = new Set<string>(ERROR_CODES);
    const table = 'src/base/error-codes.ts';
    const raised = sources.filter((path) => path !== table).flatMap((path) => quoted(textOf(path)));
    const provoked = new Set(tests.flatMap((path) => quoted(textOf(path))));
    const missing = new Set(raised.filter((code) => codes.has(code) && !provoked.has(code)));
    expect([...missing].sort()).toEqual([]);
  });

  it('links and test files named in the documents exist', () => {
    const broken: string[] = [];
    for (const path of markdown) {
      const text = textOf(path);
      const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)];
      const targets = links.map((match) => posix.join(posix.dirname(path), match[1]!));
      targets.push(...(text.match(/\btest\/[\w./-]+\.ts\b/g) ?? []));
      for (const target of targets) {
        if (!existsSync(ROOT + target)) broken.push(`${path}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('the README shows itself in under 150 lines', () => {
    expect(textOf('README.md').split('\n').length).toBeLessThan(150);
  });
});

describe('the rules see what they are for', () => {
  it('imports are found in every form and not in comments', () => {
    const sample = [
      "import { a } from './a.ts';",
      "import type { B } from '../b/b.ts';",
      "import {\n  c,\n} from 'c';",
      "import './d.ts';",
      "export { e } from './e.ts';",
      "export * from './f.ts';",
      "const g = await import('./g.ts');",
      "// import { h } from './h.ts';",
      "/* import './i.ts'; */",
    ].join('\n');
    const names = ['./a.ts', '../b/b.ts', 'c', './d.ts', './e.ts', './f.ts', './g.ts'];
    expect(importsOf(sample)).toEqual(names);
    expect(resolveImport('src/engine/x.ts', '../../wal/index.ts')).toBe('wal/index.ts');
  });

  it('a comment marker inside a string does not hide the code after it', () => {
    expect(withoutComments("const a = '//'; b(); // c\nd(`/*`); /* e\n */ f();")).toMatch(
      /^const a = '\/\/'; b\(\); {5}\nd\(`\/\*`\); {5}\n {4}f\(\);$/,
    );
  });

  it.each([
    ['const now = Date.now();', 0],
    ['const now = new Date();', 0],
    ['const id = crypto.randomUUID();', 1],
    ['const start = performance.now();', 2],
    ['queueMicrotask(run);', 3],
    ['setTimeout(run, 5);', 4],
    ["import fs from 'node:fs/promises';", 5],
    ["import fs from 'fs-extra';", 5],
    ["console.log('x');", 6],
    ['if (process.env.DEBUG) {', 7],
  ])('%s is noticed', (line, ban) => {
    expect(BANS[ban]?.pattern.test(line)).toBe(true);
    expect(BANS.filter((other) => other.pattern.test(line))).toHaveLength(1);
  });

  it('a date made from a given time is no clock', () => {
    expect(BANS.some((ban) => ban.pattern.test('new Date(timeMs).toISOString()'))).toBe(false);
  });
});

interface PackageJson {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

function packageJson(): PackageJson {
  return JSON.parse(textOf('package.json')) as PackageJson;
}
