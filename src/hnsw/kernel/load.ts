/**
 * Picks what computes: the WebAssembly kernel where the engine knows its SIMD, else the scalar one.
 * The memory is shared so that workers can build and search in it; nobody else writes it today.
 */
import { StoreError } from '../../base/errors.ts';
import { KERNEL_BASE64 } from './kernel.wasm.ts';
import type { Kernel, LoadedKernel } from './kernel.ts';
import { ScalarKernel } from './scalar.ts';
import { PlainMemory } from './scalar-memory.ts';

const PAGE = 65_536;
const MAX_PAGES = 65_536;

/** The part of the WebAssembly interface in use; @types/node has none. */
interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}
declare const WebAssembly:
  | {
      validate(bytes: Uint8Array): boolean;
      Module: new (bytes: Uint8Array) => object;
      Instance: new (module: object, imports: object) => { readonly exports: unknown };
      Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
    }
  | undefined;

/** Compiled once in a process, at first use: machine code is optimised as it runs, for all indexes. */
const compiled: { module?: object | undefined; isTried?: true } = {};

function kernelModule(): object | undefined {
  if (compiled.isTried === undefined) {
    compiled.isTried = true;
    if (typeof WebAssembly !== 'undefined') {
      const bytes = Uint8Array.from(atob(KERNEL_BASE64), (character) => character.charCodeAt(0));
      if (WebAssembly.validate(bytes)) compiled.module = new WebAssembly.Module(bytes);
    }
  }
  return compiled.module;
}

/**
 * A memory of at least so many bytes and a kernel over it, whose working space is described at `scratch`.
 * @throws {StoreError} UNSUPPORTED - 'simd' was asked for and the engine has none.
 */
export function loadKernel(
  wanted: 'auto' | 'simd' | 'scalar',
  bytes: number,
  scratch: number,
): LoadedKernel {
  const module = wanted === 'scalar' ? undefined : kernelModule();
  if (module === undefined || WebAssembly === undefined) {
    if (wanted === 'simd')
      throw new StoreError('UNSUPPORTED', 'this JavaScript engine has no WebAssembly SIMD', {
        details: { path: 'kernel' },
      });
    const memory = new PlainMemory(bytes);
    return { name: 'scalar', memory, kernel: new ScalarKernel(memory, scratch) };
  }
  const initial = Math.ceil(bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial, maximum: MAX_PAGES, shared: true });
  const { exports } = new WebAssembly.Instance(module, { env: { memory, scratch } });
  const growTo = (size: number): void => {
    const missing = Math.ceil((size - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
  };
  return {
    name: 'simd',
    memory: {
      get buffer() {
        return memory.buffer;
      },
      growTo,
    },
    // The module is our own: test/unit/hnsw/kernel-source.test.ts compiles its source and compares.
    kernel: exports as Kernel,
  };
}
