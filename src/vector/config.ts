/** The configuration of a collection as it is kept: what was given, checked; defaults are filled in when it is read. */

export const METRICS = ['cosine', 'euclidean', 'dot', 'manhattan'] as const;
export type Metric = (typeof METRICS)[number];
export const QUANTIZATIONS = ['none', 'float16', 'int8', 'binary'] as const;
export type Quantization = (typeof QUANTIZATIONS)[number];

/** What stands in the record. A field that is absent has its default. */
export interface GivenConfig {
  readonly dimensions: number;
  readonly metric: Metric;
  readonly m?: number;
  readonly efConstruction?: number;
  readonly efSearch?: number;
  readonly maxElements?: number;
  readonly seed?: number;
  readonly quantization?: Quantization;
  readonly indexes?: readonly string[];
}

export type FullConfig = Required<GivenConfig>;

const DEFAULTS = {
  m: 16,
  efConstruction: 200,
  efSearch: 100,
  maxElements: Infinity,
  seed: 0,
  quantization: 'int8',
  indexes: [],
} as const;

export function fullConfig(given: GivenConfig): FullConfig {
  return { ...DEFAULTS, ...given };
}

/** The first field in which two differ, undefined when they mean the same. */
export function differenceOf(one: GivenConfig, other: GivenConfig): string | undefined {
  const [a, b] = [fullConfig(one), fullConfig(other)];
  for (const name of Object.keys(a) as (keyof FullConfig)[])
    if (JSON.stringify(a[name]) !== JSON.stringify(b[name])) return name;
  return undefined;
}

/** What a record holds. @throws {RangeError} when it is no configuration */
export function storedConfig(value: unknown): GivenConfig {
  const config = value as GivenConfig | null;
  const isConfig =
    typeof config === 'object' &&
    config !== null &&
    Number.isInteger(config.dimensions) &&
    config.dimensions >= 1 &&
    config.dimensions <= MAX_DIMENSIONS &&
    METRICS.includes(config.metric);
  if (!isConfig) throw new RangeError('no configuration of a collection');
  return Object.freeze({ ...config });
}

export const MAX_DIMENSIONS = 65_536;
