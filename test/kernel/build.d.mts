/** Types of build.mjs, for the test that compiles the kernel again. */
export function compileKernel(): Promise<Buffer>;
export function kernelText(module: Buffer): string;
