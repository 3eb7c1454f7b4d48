/**
 * How the tests run. Child processes, not threads: tests take directory locks, send signals and
 * load native modules. No single test is timed; the limits below only end what hangs.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
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
