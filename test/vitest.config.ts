/**
 * How the tests run. Child processes, not threads: tests take directory locks, send signals and
 * load native modules. No single test is timed; the limits below only end what hangs.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

function source(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

const config: ViteUserConfig = defineConfig({
  root: source(''),
  // The examples import the package by name; in tests that means the sources, not an old build.
  resolve: {
    alias: [
      { find: /^pawl$/, replacement: source('src/index.ts') },
      { find: /^pawl\/wal$/, replacement: source('wal/index.ts') },
      { find: /^pawl\/testing$/, replacement: source('src/testing/index.ts') },
      { find: /^pawl\/machine$/, replacement: source('src/machine/index.ts') },
      { find: /^pawl\/hnsw$/, replacement: source('src/hnsw/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    allowOnly: false,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'wal/**/*.ts'],
      reporter: ['text-summary', 'html'],
    },
  },
});

// vitest reads its configuration from the default export; nothing else of ours has one.
export default config;
