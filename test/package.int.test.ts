/**
 * The package as a user gets it: packed, installed in an empty folder, every entry imported by
 * a plain Node process and by the compiler. Needs a built `dist` (`npm test` builds first).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What each entry must offer at least; an entry without a line here fails the test. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  '.': ['openStore', 'defineMachine', 'isStoreError', 'StoreError', 'toJson', 'fromJson'],
  './wal': ['openLog'],
  './machine': ['defineMachine', 'transition', 'parseGuard'],
  './hnsw': ['createVectorIndex', 'VectorIndex', 'scoreOf', 'isStoreError'],
  './testing': ['checkCrashes', 'SimDisk', 'manualClock', 'seededRandom', 'temporaryStore'],
  './package.json': [],
};

/** What the root must not load: the command, test support, and the packages they need. */
const HEAVY = [
  '/node_modules/commander/',
  '/node_modules/chokidar/',
  '/pawl/dist/src/cli/',
  '/pawl/dist/src/testing/',
  '/pawl/dist/src/hnsw/',
];

interface PackedFile {
  readonly path: string;
}

let folder = '';
let packed: readonly PackedFile[] = [];

/** The environment without what `npm test` adds to it: those settings speak of this project. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|NODE_OPTIONS|VITEST|NODE_ENV)/i.test(name),
  );
  return Object.fromEntries(kept);
}

async function exec(command: string, ...args: string[]): Promise<string> {
  const options = { cwd: folder, env: cleanEnvironment(), shell: process.platform === 'win32' };
  return (await run(command, args, options)).stdout;
}

/** Loads one module in a fresh process; tells its exports and every file it loaded. */
async function load(specifier: string): Promise<{ names: string[]; files: string[] }> {
  const output = await exec(process.execPath, 'load.mjs', specifier);
  const lines = output.trim().split('\n');
  const { names, required } = JSON.parse(lines.pop()!) as { names: string[]; required: string[] };
  const files = [...lines, ...required].map((file) => file.replaceAll('\\', '/'));
  return { names, files };
}

/** Reports each ES module on stdout as it is loaded, then the exports and the CommonJS modules. */
const LOADER = `
import { createRequire, register } from 'node:module';
const hooks = \`
  import { writeSync } from 'node:fs';
  export async function load(url, context, next) {
    writeSync(1, url + '\\\\n');
    return next(url, context);
  }\`;
register('data:text/javascript,' + encodeURIComponent(hooks));
const loaded = await import(process.argv[2]);
const required = Object.keys(createRequire(import.meta.url).cache);
console.log(JSON.stringify({ names: Object.keys(loaded), required }));
`;

beforeAll(async () => {
  if (!existsSync(join(ROOT, 'dist/src/index.js'))) {
    throw new Error('There is no dist/src/index.js: run "npm run build" first.');
  }
  folder = await mkdtemp(join(tmpdir(), 'pawl-package-'));
  // Without scripts: a build here would pull dist away from under the other tests.
  const pack = await exec('npm', 'pack', ROOT, '--ignore-scripts', '--json');
  const [tarball] = JSON.parse(pack) as { filename: string; files: PackedFile[] }[];
  packed = tarball!.files;
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await writeFile(join(folder, 'load.mjs'), LOADER);
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund'];
  await exec('npm', 'install', ...quiet, `./${tarball!.filename}`);
}, 120_000);

afterAll(async () => {
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

describe('the packed package', () => {
  it('holds the build, the sources its maps point to, and nothing else', () => {
    const paths = packed.map((file) => file.path);
    const known =
      /^(?:dist\/(?:src|wal)\/.+\.(?:js|d\.ts|d\.ts\.map)|(?:src|wal)\/.+\.ts|docs\/changelog\.md|package\.json|LICENSE|README\.md)$/;
    expect(paths.filter((path) => !known.test(path))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/src/index.js']));
    const sources = new Set(paths.filter((path) => !path.startsWith('dist/')));
    const built = paths.filter((path) => path.startsWith('dist/') && path.endsWith('.js'));
    const stale = built.filter((path) => !sources.has(path.slice(5).replace(/\.js$/, '.ts')));
    expect(stale).toEqual([]);
  });

  it('has a line here for every entry', async () => {
    const text = await readFile(join(folder, 'node_modules/pawl/package.json'), 'utf8');
    const { exports } = JSON.parse(text) as { exports: object };
    expect(Object.keys(ENTRIES)).toEqual(Object.keys(exports));
  });

  it.each(
    Object.entries(ENTRIES)
      .filter(([entry]) => entry !== './package.json')
      .map(([entry, expected]) => [`pawl${entry.slice(1)}`, expected] as const),
  )('imports as %s with its names', async (specifier, expected) => {
    const { names } = await load(specifier);
    expect(names).toEqual(expect.arrayContaining([...expected]));
    expect(names).not.toContain('default');
  });

  it('loads neither the command nor anything it needs with the root', async () => {
    const { files } = await load('pawl');
    expect(files.some((file) => file.includes('dist/src/index.js'))).toBe(true);
    expect(files.filter((file) => HEAVY.some((part) => file.includes(part)))).toEqual([]);
  });

  it.each(['machine', 'hnsw'])(
    'loads pawl/%s without any Node module or package',
    async (entry) => {
      const { files } = await load(`pawl/${entry}`);
      const own = new RegExp(`/pawl/dist/src/(?:${entry}|base)/`);
      expect(files.filter((file) => !own.test(file))).toEqual([]);
    },
  );

  it('loads pawl/wal without the engine', async () => {
    const { files } = await load('pawl/wal');
    const ours = files.filter((file) => file.includes('/pawl/dist/'));
    expect(ours.filter((file) => !/\/pawl\/dist\/(?:wal|src\/base)\//.test(file))).toEqual([]);
  });

  it('keeps what the exports do not list to itself', async () => {
    await expect(load('pawl/dist/src/index.js')).rejects.toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  it('brings the command', async () => {
    const help = await exec('npx', '--no-install', 'pawl', '--help');
    for (const command of ['inspect', 'verify', 'repair', 'dump']) expect(help).toContain(command);
  });
});

describe('its types', () => {
  const consumer = `
    import { openStore, defineMachine, isStoreError } from 'pawl';
    import { openLog } from 'pawl/wal';
    import { parseGuard, transition } from 'pawl/machine';

    const door = defineMachine({
      name: 'door', version: 1, states: ['open', 'shut'], initial: 'open',
      transitions: [{ from: 'open', event: 'SHUT', to: 'shut' }],
    });
    const store = await openStore(':memory:');
    const doors = await store.machine(door);
    await doors.create({ id: 'front' });
    const { to } = await doors.apply('front', 'SHUT');
    const known: 'open' | 'shut' = to;
    // @ts-expect-error the machine has no such event
    await doors.apply('front', 'SLAM').catch((error: unknown) => isStoreError(error, 'CONFLICT'));
    await store.close();
    export const used = [known, openLog, parseGuard, transition];
  `;

  /** What the compiler says about the consumer; empty when it is content. */
  async function complaints(resolution: string): Promise<string> {
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const flags = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--target', 'es2023'];
    flags.push('--lib', 'es2023,esnext.disposable', '--types', 'node');
    flags.push('--typeRoots', join(ROOT, 'node_modules/@types'));
    flags.push('--module', resolution === 'bundler' ? 'preserve' : 'nodenext');
    flags.push('--moduleResolution', resolution, 'consumer.mts');
    try {
      return await exec(process.execPath, compiler, ...flags);
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  }

  it.each(['nodenext', 'bundler'])('are found and hold with %s resolution', async (resolution) => {
    await writeFile(join(folder, 'consumer.mts'), consumer);
    expect(await complaints(resolution)).toBe('');
  });
});
