/** Vectors as callers give them: checked whole before anything is written, then 32-bit floats. */
import { StoreError } from '../base/errors.ts';
import type { Metric } from './options.ts';

/** Components are stored as 32-bit floats; numbers are rounded to them. */
export type Vector = Float32Array | readonly number[];

/**
 * Writes a vector to `target`, of length 1 if the metric is cosine.
 * @throws {StoreError} DIMENSION_MISMATCH - another length; INVALID_VECTOR - no vector, empty, a component
 * that is not a finite 32-bit float, or all zeros under cosine. `target` is unspecified then.
 */
export function readVector(vector: Vector, metric: Metric, target: Float32Array): void {
  const dimensions = target.length;
  if (!(vector instanceof Float32Array) && !Array.isArray(vector))
    throw invalid('a vector is a Float32Array or an array of numbers', 'type');
  if (vector.length === 0) throw invalid('the vector is empty', 'empty');
  if (vector.length !== dimensions)
    throw new StoreError(
      'DIMENSION_MISMATCH',
      `the vector has ${vector.length} dimensions, not ${dimensions}`,
      { details: { expected: dimensions, actual: vector.length } },
    );
  if (!(vector instanceof Float32Array)) checkNumbers(vector);
  target.set(vector);
  let sum = 0;
  let extent = 0;
  for (let i = 0; i < dimensions; i++) {
    const component = target[i] ?? 0;
    sum += component * component;
    // Infinity - Infinity and NaN leave a trace that no later component can cover.
    extent += component - component;
  }
  if (extent !== 0) throw notFinite(target);
  if (metric !== 'cosine') return;
  if (sum === 0)
    throw invalid('a vector of zeros has no direction: cosine cannot compare it', 'zero');
  const scale = 1 / Math.sqrt(sum);
  for (let i = 0; i < dimensions; i++) target[i] = (target[i] ?? 0) * scale;
}

function checkNumbers(vector: readonly unknown[]): void {
  for (let i = 0; i < vector.length; i++)
    if (typeof vector[i] !== 'number')
      throw invalid(`component ${i} is ${typeof vector[i]}, not a number`, 'component', i);
}

function notFinite(vector: Float32Array): StoreError {
  const index = vector.findIndex((component) => !Number.isFinite(component));
  return invalid(`component ${index} is not a finite 32-bit float`, 'component', index);
}

function invalid(message: string, reason: string, index?: number): StoreError {
  return new StoreError('INVALID_VECTOR', message, {
    details: { reason, ...(index === undefined ? {} : { index }) },
  });
}
