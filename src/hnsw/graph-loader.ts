/**
 * Reads what saved.ts writes, chunk by chunk. Whatever the bytes are, the graph that comes out is safe to
 * walk: every link leads to a node that is there, on a level it has. Whether a vector is the one that was
 * saved only a checksum of the caller's can tell.
 */
import { StoreError, isStoreError } from '../base/errors.ts';
import { Graph } from './graph.ts';
import { NO_LINK } from './layout.ts';
import { METRICS, QUANTIZATIONS, type Settings, settingsOf } from './options.ts';
import { SAVED_MAGIC, SAVED_NUMBERS, SAVED_VERSION, regionsOf } from './saved.ts';

export class GraphLoader {
  private readonly kernel: 'auto' | 'simd' | 'scalar';
  private readonly header = new Uint8Array(SAVED_NUMBERS * 4);
  private graph: Graph | undefined;
  private regions: readonly (readonly [at: number, bytes: number])[] = [];
  /** Where the next byte goes: a region, and how far into it. */
  private region = 0;
  private filled = 0;
  private seen = 0;

  constructor(kernel: 'auto' | 'simd' | 'scalar') {
    this.kernel = kernel;
  }

  write(chunk: Uint8Array): void {
    let from = 0;
    while (from < chunk.length) {
      const taken =
        this.graph === undefined
          ? this.fillHeader(chunk, from)
          : this.fill(this.graph, chunk, from);
      from += taken;
      this.seen += taken;
    }
  }

  /** @throws {StoreError} CORRUPT - something is missing, or wrong. */
  end(): Graph {
    const { graph } = this;
    if (graph === undefined || this.region < this.regions.length)
      throw corrupt('the bytes end early', this.seen);
    graph.reserve(graph.count);
    checkLive(graph);
    checkLinks(graph);
    return graph;
  }

  private fillHeader(chunk: Uint8Array, from: number): number {
    const taken = Math.min(this.header.length - this.seen, chunk.length - from);
    this.header.set(chunk.subarray(from, from + taken), this.seen);
    if (this.seen + taken === this.header.length) this.begin();
    return taken;
  }

  private begin(): void {
    const view = new DataView(this.header.buffer);
    const numbers = Array.from({ length: SAVED_NUMBERS }, (_, i) => view.getUint32(4 * i, true));
    const [magic, version] = numbers;
    if (magic !== SAVED_MAGIC) throw corrupt('these are no bytes of a vector index', 0);
    if (version !== SAVED_VERSION)
      throw new StoreError('FORMAT_UNSUPPORTED', `version ${version} of a vector index`, {
        details: { version, supported: SAVED_VERSION },
      });
    const [count = 0, deleted = 0, entry = 0, topLevel = 0] = numbers.slice(10);
    const graph = new Graph(settingsFrom(numbers), this.kernel);
    const { capacity, hierarchyTop } = graph.layout;
    if (count > capacity || deleted > count || topLevel > hierarchyTop)
      throw corrupt('the numbers of the header do not fit each other', 40);
    if (entry >= Math.max(1, count) || graph.levelOf(entry) < topLevel)
      throw corrupt('the entry point is not on its level', 48);
    graph.count = count;
    graph.deleted = deleted;
    graph.setEntry(entry, topLevel);
    this.graph = graph;
    this.regions = regionsOf(graph.layout, count).filter(([, bytes]) => bytes > 0);
  }

  private fill(graph: Graph, chunk: Uint8Array, from: number): number {
    const region = this.regions[this.region];
    if (region === undefined) throw corrupt('there are bytes behind the end', this.seen);
    const [at, bytes] = region;
    const taken = Math.min(bytes - this.filled, chunk.length - from);
    // Not all at once: a wrong header would ask for memory that no bytes follow for.
    graph.loaded.memory.growTo(at + bytes);
    const target = new Uint8Array(graph.loaded.memory.buffer, at + this.filled, taken);
    target.set(chunk.subarray(from, from + taken));
    this.filled += taken;
    if (this.filled === bytes) {
      this.region++;
      this.filled = 0;
    }
    return taken;
  }
}

function settingsFrom(numbers: readonly number[]): Settings {
  const [dimensions = 0, metric = 0, quantization = 0, m, efConstruction] = numbers.slice(2);
  const [efSearch, maxElements, seed] = numbers.slice(7);
  try {
    return settingsOf({
      dimensions,
      // A number without a name is refused like a name that is not known.
      metric: METRICS[metric] as Settings['metric'],
      quantization: QUANTIZATIONS[quantization] ?? ('' as 'none'),
      m,
      efConstruction,
      efSearch,
      maxElements,
      seed,
    });
  } catch (error) {
    if (!isStoreError(error, 'BAD_REQUEST')) throw error;
    throw corrupt(`the header is wrong: ${error.message}`, 8, error);
  }
}

function checkLive({ live, count, deleted }: Graph): void {
  let set = 0;
  for (let slot = 0; slot < Math.ceil(count / 32) * 32; slot++)
    if ((((live[slot >>> 5] ?? 0) >>> (slot & 31)) & 1) === 1) set += slot < count ? 1 : Infinity;
  if (set !== count - deleted)
    throw corrupt('the bits of live nodes are not as many as there are', 64);
}

function checkLinks(graph: Graph): void {
  const { count } = graph;
  for (let slot = 0; slot < count; slot++)
    for (let level = graph.levelOf(slot); level >= 0; level--)
      for (const to of graph.links(slot, level)) {
        if (to === NO_LINK) break;
        if (to >= count || (level > 0 && graph.levelOf(to) < level))
          throw corrupt(`node ${slot} links to what is not there`, 64);
      }
}

function corrupt(message: string, byteOffset: number, cause?: unknown): StoreError {
  return new StoreError('CORRUPT', `saved vector index: ${message}`, {
    details: { file: 'vector index', byteOffset },
    cause,
  });
}
