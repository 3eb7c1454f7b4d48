/**
 * Vector indexes side by side: build from the same vectors, search with a width that is set, tell the slots
 * found. Vectors are added one by one, as users add them; hnswlib-node takes arrays of numbers only, so
 * the queries it gets are arrays already, and what it costs to make them is not counted.
 */
import fs from 'node:fs';
import path from 'node:path';
import hnswlib from 'hnswlib-node';
import usearch from 'usearch';
import { importHnsw } from '../pawl.mjs';

const { HierarchicalNSW } = hnswlib;
const { Index, MetricKind, ScalarKind } = usearch;
const { createVectorIndex } = await importHnsw();

/** What all indexes are built with. */
export const LINKS = 16;
export const CONSTRUCTION_WIDTH = 200;

/**
 * @typedef {object} VectorPeer
 * @property {string} name
 * @property {(vector: Float32Array, slot: number) => void} add
 * @property {() => void} [seal] after the last vector
 * @property {(width: number) => void} setWidth
 * @property {(place: number) => Iterable<number>} search slots nearest to query `place`, as they were added
 * @property {() => number} bytes of the index as a file
 */

/**
 * @typedef {object} Task
 * @property {number} dimensions
 * @property {number} count
 * @property {Float32Array[]} queries
 * @property {number} k
 * @property {string} directory
 */

/**
 * @param {Task} task
 * @param {'none' | 'int8'} quantization
 * @param {string} name
 * @returns {VectorPeer}
 */
function pawlIndex({ dimensions, queries, k }, quantization, name) {
  let index = createVectorIndex({
    dimensions,
    metric: 'cosine',
    m: LINKS,
    efConstruction: CONSTRUCTION_WIDTH,
    quantization,
  });
  let added = Uint32Array.of();
  let ef = k;
  return {
    name,
    add: (vector) => index.add(vector),
    seal() {
      const sealed = index.optimize();
      index = sealed.index;
      added = new Uint32Array(index.slots);
      sealed.slots.forEach((to, from) => (added[to] = from));
    },
    setWidth: (width) => (ef = width),
    search: (place) => index.search(queries[place], k, { ef }).slots.map((slot) => added[slot]),
    bytes: () => index.savedBytes,
  };
}

/** @param {Task} task @returns {VectorPeer} */
function hnswlibIndex({ dimensions, count, queries, k, directory }) {
  const index = new HierarchicalNSW('cosine', dimensions);
  index.initIndex(count, LINKS, CONSTRUCTION_WIDTH, 100);
  const arrays = queries.map((query) => Array.from(query));
  return {
    name: 'hnswlib',
    add: (vector, slot) => index.addPoint(Array.from(vector), slot),
    setWidth: (width) => index.setEf(width),
    search: (place) => index.searchKnn(arrays[place], k).neighbors,
    bytes() {
      const file = path.join(directory, 'hnswlib');
      index.writeIndexSync(file);
      return fs.statSync(file).size;
    },
  };
}

/** @param {Task} task @returns {VectorPeer} */
function usearchIndex({ dimensions, queries, k, directory }) {
  const make = (/** @type {number} */ width) =>
    new Index({
      dimensions,
      metric: MetricKind.Cos,
      connectivity: LINKS,
      expansion_add: CONSTRUCTION_WIDTH,
      expansion_search: width,
      quantization: ScalarKind.F32,
    });
  const file = path.join(directory, 'usearch');
  let index = make(CONSTRUCTION_WIDTH);
  return {
    name: 'usearch',
    add: (vector, slot) => index.add(BigInt(slot), vector),
    // The width is fixed when an index is made: another width is the saved one read again.
    setWidth(width) {
      if (!fs.existsSync(file)) index.save(file);
      index = make(width);
      index.load(file);
    },
    search: (place) => Array.from(index.search(queries[place], k, 1).keys, Number),
    bytes() {
      index.save(file);
      return fs.statSync(file).size;
    },
  };
}

/** Makers of all contestants, ours first. */
export const VECTOR_PEERS = {
  pawl: (/** @type {Task} */ task) => pawlIndex(task, 'int8', 'pawl'),
  'pawl f32': (/** @type {Task} */ task) => pawlIndex(task, 'none', 'pawl f32'),
  hnswlib: hnswlibIndex,
  usearch: usearchIndex,
};
