/**
 * Nearest neighbours of real word vectors: building an index, then searching it with the least width that finds
 * 95 of the 100 nearest of every hundred, the truth being our exact search. One thread
 * each; M 16, construction width 200 for all. Ours is sealed (`optimize`) before it is searched, inside the build.
 */
import { runIfMain } from './lib/bench.mjs';
import { importHnsw } from './lib/pawl.mjs';
import { CONSTRUCTION_WIDTH, LINKS, VECTOR_PEERS } from './lib/peers/vectors.mjs';
import { columns, costRow, rateRow } from './lib/result.mjs';
import { alternate, inSequence } from './lib/rounds.mjs';
import { WORD_DIMENSIONS, readWords } from './lib/words.mjs';

const { createVectorIndex } = await importHnsw();
const K = 10;
const RECALL = 0.95;
const QUERIES = 1000;
const WIDEST = 512;
const SEARCH_FLOOR = 2.5;
const BUILD_FLOOR = 2;
const NAMES = { pawl: 'pawl', hnswlib: 'hnswlib', usearch: 'usearch' };

/** @param {import('./lib/bench.mjs').Means} means */
export async function vectors({ options, directory, progress }) {
  const count = options.instances ?? (options.quick ? 20_000 : 340_000);
  const { base, queries } = readWords(QUERIES, count);
  const task = {
    dimensions: WORD_DIMENSIONS,
    count: base.length,
    queries,
    k: K,
    directory: directory('vectors'),
  };
  progress(`${base.length.toLocaleString('en-US')} vectors, ${queries.length} queries`);
  const truth = nearest(base, queries);
  const peers = Object.entries(VECTOR_PEERS)
    .filter(([name]) => !options.peersOnly || name in NAMES)
    .filter(([name]) => !options.peersOnly || name !== 'pawl')
    .map(([, make]) => make(task));
  const built = peers.map((peer) => {
    const rate = build(peer, base);
    progress(`${peer.name}: ${Math.round(rate).toLocaleString('en-US')} vectors/s`);
    return { name: peer.name, rate, rates: [rate], p50: NaN, p99: NaN };
  });
  const widths = peers.map((peer) => {
    const width = leastWidth(peer, truth);
    progress(`${peer.name}: width ${width}, recall ${recallAt(peer, truth, width).toFixed(4)}`);
    return width;
  });
  const searched = await alternate(
    peers.map((peer) => ({ name: peer.name, work: inSequence(1, nextQuery(peer)) })),
    options,
  );
  const size = base.length.toLocaleString('en-US');
  const about = { bench: 'vectors', note: `M ${LINKS}, construction width ${CONSTRUCTION_WIDTH}` };
  const search = {
    ...about,
    row: `search, recall@${K} ${RECALL}, ${size} x ${WORD_DIMENSIONS}`,
    unit: 'queries/s',
  };
  const f32 = { 'pawl f32': 'pawl', hnswlib: 'hnswlib', usearch: 'usearch' };
  return [
    rateRow(
      { ...search, floor: SEARCH_FLOOR, note: `widths ${widths.join(', ')}` },
      columns(searched, NAMES),
    ),
    rateRow({ ...search, row: 'the same, ours without codes (f32)' }, columns(searched, f32)),
    rateRow(
      {
        ...about,
        row: `build and seal, ${size}, one thread`,
        unit: 'vectors/s',
        floor: BUILD_FLOOR,
      },
      columns(built, NAMES),
    ),
    costRow(
      { bench: 'vectors', row: 'index as a file', unit: 'bytes/vector' },
      Object.fromEntries(
        peers
          .filter(({ name }) => name in NAMES)
          .map((peer) => [peer.name, peer.bytes() / base.length]),
      ),
    ),
  ];
}

/** @returns {Set<number>[]} */
function nearest(base, queries) {
  const exact = createVectorIndex({
    dimensions: WORD_DIMENSIONS,
    metric: 'cosine',
    m: 2,
    efConstruction: 1,
    quantization: 'none',
  });
  for (const vector of base) exact.add(vector);
  return queries.map((query) => new Set(exact.search(query, K, { exact: true }).slots));
}

/** Vectors per second of processor time, sealing included. */
function build(peer, base) {
  const start = process.cpuUsage();
  base.forEach((vector, slot) => peer.add(vector, slot));
  peer.seal?.();
  const { user, system } = process.cpuUsage(start);
  return (base.length / (user + system)) * 1e6;
}

function recallAt(peer, truth, width) {
  peer.setWidth(width);
  let found = 0;
  truth.forEach((slots, place) => {
    for (const slot of peer.search(place)) if (slots.has(slot)) found++;
  });
  return found / truth.length / K;
}

/** The least width that reaches the recall, set. */
function leastWidth(peer, truth) {
  let [low, high] = [K, WIDEST];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (recallAt(peer, truth, middle) >= RECALL) high = middle;
    else low = middle + 1;
  }
  peer.setWidth(low);
  return low;
}

function nextQuery(peer) {
  let place = 0;
  return () => {
    peer.search(place);
    place = (place + 1) % QUERIES;
  };
}

await runIfMain(import.meta.url, vectors);
