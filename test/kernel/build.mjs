/**
 * `npm run build:kernel`: compiles the AssemblyScript of the vector kernel and writes the module beside its
 * source, as text. The result is in the repository, so that building the package needs no compiler for it;
 * test/unit/hnsw/kernel-source.test.ts compiles again and compares.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

const KERNEL = new URL('../../src/hnsw/kernel/', import.meta.url);
const OPTIONS =
  '-O3 --converge --noAssert --runtime stub --enable simd,threads,bulk-memory --noExportMemory ' +
  '--importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536';

/** @returns {Promise<Buffer>} the module compiled from what the source is now */
export async function compileKernel() {
  /** @type {Buffer | undefined} */
  let module;
  const source = fileURLToPath(new URL('assembly/main.ts', KERNEL));
  const { error } = await asc.main([source, ...OPTIONS.split(' '), '--outFile', 'kernel.wasm'], {
    writeFile: (_, contents) => void (module = Buffer.from(contents)),
  });
  if (error !== null || module === undefined) throw new Error('asc failed', { cause: error });
  return module;
}

/** @param {Buffer} module */
export function kernelText(module) {
  return [
    '/**',
    ' * Generated from assembly/ by `npm run build:kernel`; do not edit. The WebAssembly module as base64.',
    ' */',
    `export const KERNEL_BASE64: string =\n  '${module.toString('base64')}';`,
    '',
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await writeFile(new URL('kernel.wasm.ts', KERNEL), kernelText(await compileKernel()));
