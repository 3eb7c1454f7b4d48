/** A caller's configuration, read once and checked completely: what is not built yet is refused, never ignored. */
import { badRequest, StoreError } from '../../base/errors.ts';
import { parsePath } from '../../query/paths.ts';
import { describeInput, readItems } from '../../query/plain-input.ts';
import {
  type GivenConfig,
  MAX_DIMENSIONS,
  METRICS,
  type Metric,
  QUANTIZATIONS,
  type Quantization,
} from '../../vector/config.ts';
import { ownFields } from '../write-options.ts';

/** Whole numbers and their bounds. */
const NUMBERS = {
  m: [2, 256],
  efConstruction: [1, 65_536],
  efSearch: [1, 65_536],
  maxElements: [1, 2 ** 32 - 2],
  seed: [0, 2 ** 32 - 1],
} as const;
const OTHERS = [
  'dimensions',
  'metric',
  'quantization',
  'residentVectors',
  'indexes',
  'matryoshka',
  'quotas',
];
const MAX_INDEXES = 64;

type Fields = Readonly<Record<string, unknown>>;

/** @throws {StoreError} BAD_REQUEST, UNSUPPORTED */
export function checkConfig(input: unknown): GivenConfig {
  const fields = ownFields(input as object | undefined, 'config') as Fields | undefined;
  if (fields === undefined)
    throw badRequest('config must say dimensions and metric', 'config', 'object');
  for (const name of Object.keys(fields)) {
    if (!(name in NUMBERS) && !OTHERS.includes(name))
      throw badRequest(`config has no field ${JSON.stringify(name)}`, `config.${name}`);
  }
  const quantization = checkQuantization(fields['quantization']);
  refuseUnbuilt(fields);
  return {
    dimensions: checkDimensions(fields['dimensions']),
    metric: checkMetric(fields['metric']),
    ...numbersOf(fields),
    ...(quantization === undefined ? {} : { quantization }),
    ...(fields['indexes'] === undefined ? {} : { indexes: checkIndexes(fields['indexes']) }),
  };
}

function checkDimensions(value: unknown): number {
  const isIt =
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_DIMENSIONS;
  if (isIt) return value as number;
  const expected = `integer from 1 to ${MAX_DIMENSIONS}`;
  throw badRequest(`config.dimensions must be an ${expected}`, 'config.dimensions', expected);
}

function checkMetric(value: unknown): Metric {
  if (METRICS.includes(value as Metric)) return value as Metric;
  const expected = `one of ${METRICS.join(', ')}`;
  const found = describeInput(value);
  throw badRequest(`config.metric must be ${expected}, not ${found}`, 'config.metric', expected);
}

function checkQuantization(value: unknown): Quantization | undefined {
  if (value === undefined) return undefined;
  if (!QUANTIZATIONS.includes(value as Quantization)) {
    const expected = `one of ${QUANTIZATIONS.join(', ')}`;
    throw badRequest(`config.quantization must be ${expected}`, 'config.quantization', expected);
  }
  if (value === 'none' || value === 'int8') return value;
  throw unsupported('quantization', `quantization ${JSON.stringify(value)}`);
}

function refuseUnbuilt({ residentVectors, matryoshka, quotas }: Fields): void {
  if (residentVectors !== undefined && typeof residentVectors !== 'boolean')
    throw badRequest(
      'config.residentVectors must be a boolean',
      'config.residentVectors',
      'boolean',
    );
  if (residentVectors === false) throw unsupported('residentVectors', 'vectors that stay on disk');
  if (matryoshka !== undefined) throw unsupported('matryoshka', 'matryoshka');
  if (quotas !== undefined) throw unsupported('quotas', 'quotas');
}

function unsupported(name: string, what: string): StoreError {
  return new StoreError('UNSUPPORTED', `config.${name}: ${what} is not supported yet`, {
    details: { path: `config.${name}` },
  });
}

function numbersOf(fields: Fields): Partial<Record<keyof typeof NUMBERS, number>> {
  const numbers: Partial<Record<keyof typeof NUMBERS, number>> = {};
  for (const name of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
    const value = fields[name];
    const isUnlimited = name === 'maxElements' && value === Infinity;
    if (value === undefined || isUnlimited) continue;
    const [min, max] = NUMBERS[name];
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      const expected = `integer from ${min} to ${max}`;
      throw badRequest(`config.${name} must be an ${expected}`, `config.${name}`, expected);
    }
    numbers[name] = value as number;
  }
  return numbers;
}

/** Sorted, each once: the order they are given in means nothing. */
function checkIndexes(value: unknown): readonly string[] {
  const at = 'config.indexes';
  const paths = readItems(value, at, MAX_INDEXES).map((one, i) =>
    parsePath(one, `${at}[${i}]`).join('.'),
  );
  const sorted = [...new Set(paths)].sort();
  if (sorted.length < paths.length)
    throw badRequest(`${at} names a path twice`, at, 'distinct paths');
  return sorted;
}
