/**
 * Options of a vector index: their checks, defaults and limits, and the settings they become. Names
 * are those of a collection's configuration. Settings are plain numbers; they are saved with an index
 * and decide, together with what is added in which order, every byte of it.
 */
import { StoreError, badRequest } from '../base/errors.ts';

export type Metric = 'cosine' | 'euclidean' | 'dot' | 'manhattan';
export type Quantization = 'none' | 'float16' | 'int8' | 'binary';

/** What `createVectorIndex` takes. */
export interface VectorIndexOptions {
  /** Components of every vector, 1 to 65,536. */
  dimensions: number;
  metric: Metric;
  /** Links a node selects and holds on upper levels; twice as many at the bottom. 2 to 128, default 16. */
  m?: number | undefined;
  /** Width of the search that finds the neighbours of a new vector. 1 to 4,096, default 200. */
  efConstruction?: number | undefined;
  /** Width of a search that does not say another. 1 to 4,096, default 100. */
  efSearch?: number | undefined;
  /** The most vectors it takes, deleted ones included; default what 4 GiB hold. */
  maxElements?: number | undefined;
  /** Decides which vectors are on upper levels. Default 0. */
  seed?: number | undefined;
  /** What the graph is walked by: whole vectors ('none') or codes of a byte a component, default 'int8'. */
  quantization?: Quantization | undefined;
  /** What computes: WebAssembly with SIMD where there is such ('auto', the default), or TypeScript. */
  kernel?: 'auto' | 'simd' | 'scalar' | undefined;
}

export interface Settings {
  readonly dimensions: number;
  readonly metric: Metric;
  readonly m: number;
  readonly efConstruction: number;
  readonly efSearch: number;
  readonly maxElements: number;
  readonly seed: number;
  readonly quantization: 'none' | 'int8';
}

export const METRICS: readonly Metric[] = ['cosine', 'euclidean', 'dot', 'manhattan'];
export const QUANTIZATIONS: readonly Settings['quantization'][] = ['none', 'int8'];

const MAX_DIMENSIONS = 65_536;
const MAX_LINKS = 128;
/** The widest search: beyond it a scan is no slower. */
export const MAX_WIDTH = 4096;
export const MAX_ELEMENTS: number = 2 ** 31 - 1;

/** @throws {StoreError} BAD_REQUEST - with the path of the option; UNSUPPORTED - a quantization that is not there yet. */
export function settingsOf(options: VectorIndexOptions): Settings {
  if (typeof options !== 'object' || options === null)
    throw badRequest('a vector index needs options', 'options', 'an object');
  const metric = oneOf('metric', options.metric, METRICS);
  if (options.quantization === 'float16' || options.quantization === 'binary')
    throw new StoreError('UNSUPPORTED', `quantization ${options.quantization} is not there yet`, {
      details: { path: 'quantization' },
    });
  const quantization = oneOf('quantization', options.quantization ?? 'int8', QUANTIZATIONS);
  return {
    dimensions: integer('dimensions', options.dimensions, 1, MAX_DIMENSIONS),
    metric,
    m: integer('m', options.m ?? 16, 2, MAX_LINKS),
    efConstruction: integer('efConstruction', options.efConstruction ?? 200, 1, MAX_WIDTH),
    efSearch: integer('efSearch', options.efSearch ?? 100, 1, MAX_WIDTH),
    maxElements: integer('maxElements', options.maxElements ?? MAX_ELEMENTS, 1, MAX_ELEMENTS),
    seed: integer('seed', options.seed ?? 0, 0, 2 ** 32 - 1),
    quantization,
  };
}

/** @throws {StoreError} BAD_REQUEST - unless it is an integer within the bounds. */
export function integer(path: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    const bounds = `${min.toLocaleString('en-US')} to ${max.toLocaleString('en-US')}`;
    throw badRequest(`${path} is ${String(value)}`, path, `an integer from ${bounds}`);
  }
  return value;
}

function oneOf<T extends string>(path: string, value: unknown, known: readonly T[]): T {
  const found = known.find((name) => name === value);
  if (found === undefined)
    throw badRequest(`unknown ${path} ${String(value)}`, path, known.join(', '));
  return found;
}
