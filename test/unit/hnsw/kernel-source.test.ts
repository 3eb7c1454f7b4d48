/** The module in the repository is what its source compiles to: nothing is shipped that cannot be read. */
import { expect, it } from 'vitest';
import { compileKernel, kernelText } from '../../kernel/build.mjs';
import { textOf } from '../../tidy/sources.ts';

it(
  'the committed WebAssembly is the compiled source, byte for byte',
  { timeout: 60_000 },
  async () => {
    expect(kernelText(await compileKernel())).toBe(textOf('src/hnsw/kernel/kernel.wasm.ts'));
  },
);
