/**
 * Pawl behind the same shape as the peers: the store of this repository as it was built (`../dist`).
 * Lists by state are always kept; `customer` is declared as an index unless indexes are left out.
 * No snapshot is taken by itself: what one costs is a bench of its own.
 */
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { EVENTS, STATES, orderContext, orderDefinition } from './workload.mjs';

/** @typedef {import('./workload.mjs').OrderEvent} OrderEvent */

const DIST = path.resolve(import.meta.dirname, '../../dist');
const LOAD_AT_ONCE = 2000;
/** As many again may be under way. With 20,000 the garbage collector takes twice as long over them. */
const BULK_AT_ONCE = 1000;
/** More rows than one customer has. */
const CUSTOMER_ROWS = 1000;

/** @returns {Promise<any>} the built package */
export function importPawl() {
  return importBuilt('src/index.js');
}

/** @returns {Promise<any>} the built log alone */
export function importLog() {
  return importBuilt('wal/index.js');
}

/** @returns {Promise<any>} the built vector index alone */
export function importHnsw() {
  return importBuilt('src/hnsw/index.js');
}

async function importBuilt(file) {
  try {
    return await import(pathToFileURL(path.join(DIST, file)).href);
  } catch (cause) {
    throw new Error(
      `cannot load dist/${file}: run "npm run build" in the root of the repository first`,
      { cause },
    );
  }
}

export class PawlStore {
  name = 'pawl';

  /**
   * @param {string} directory
   * @param {{ durable?: boolean, indexes?: boolean, clock?: import('./clock.mjs').TickingClock }} [options]
   */
  static async open(directory, options = {}) {
    const { openStore, defineMachine } = await importPawl();
    const store = await openStore(path.join(directory, 'pawl'), {
      durability: (options.durable ?? true) ? 'always' : 'os',
      snapshotInterval: 0,
      clock: options.clock,
    });
    const definition = orderDefinition({ indexes: options.indexes ?? true });
    const orders = await store.machine(defineMachine(definition));
    return new PawlStore(store, orders);
  }

  constructor(store, orders) {
    this.store = store;
    this.orders = orders;
    this.refs = [];
  }

  /**
   * @param {string[]} ids
   * @param {number} first number of the first of them
   */
  async load(ids, first = 0) {
    for (let from = 0; from < ids.length; from += LOAD_AT_ONCE) {
      const some = ids.slice(from, from + LOAD_AT_ONCE);
      const pending = some.map((id, i) =>
        this.orders.create({ id, context: orderContext(first + from + i) }),
      );
      await Promise.all(pending);
    }
  }

  /**
   * Creates that nobody waits for one by one, durable at the end.
   * @param {string[]} ids
   */
  async bulkLoad(ids) {
    /** @type {Promise<unknown>} */
    let before = Promise.resolve();
    for (let from = 0; from < ids.length; from += BULK_AT_ONCE) {
      const some = ids.slice(from, from + BULK_AT_ONCE);
      const creates = some.map((id, i) =>
        this.orders.create({ id, context: orderContext(from + i) }),
      );
      const pending = Promise.all(creates);
      await before;
      before = pending;
    }
    await before;
    await this.store.flush();
  }

  /**
   * The same in atomic batches, each one call, one commit and one promise.
   * @param {string[]} ids
   */
  async bulkLoadInBatches(ids) {
    /** @type {Promise<unknown>} */
    let before = Promise.resolve();
    for (let from = 0; from < ids.length; from += BULK_AT_ONCE) {
      const some = ids.slice(from, from + BULK_AT_ONCE);
      const pending = this.store.batch(
        some.map((id, i) => ({
          op: 'create',
          machine: 'order',
          id,
          context: orderContext(from + i),
        })),
      );
      await before;
      before = pending;
    }
    await before;
    await this.store.flush();
  }

  /**
   * Ids hashed beforehand, as a caller with a working set of its own would.
   * @param {string[]} ids
   */
  holdRefs(ids) {
    this.refs = ids.map((id) => this.orders.ref(id));
  }

  /** @param {OrderEvent} event a promise for one event, by id */
  applyEach({ id, event, payload }) {
    return this.orders.apply(id, EVENTS[event], payload);
  }

  /** @param {OrderEvent} event a promise for one event, by a ref held since before */
  applyByRef({ index, event, payload }) {
    return this.refs[index].apply(EVENTS[event], payload);
  }

  /** @param {OrderEvent[]} events all of them applied when the promise resolves */
  async applyBatch(events) {
    await Promise.all(events.map((event) => this.applyEach(event)));
  }

  /** @param {OrderEvent[]} events without a promise each; the id is hashed here */
  postAll(events) {
    for (const { id, event, payload } of events) this.orders.ref(id).post(EVENTS[event], payload);
  }

  /** @param {OrderEvent[]} events without a promise each, by refs held since before */
  postAllByRef(events) {
    for (const { index, event, payload } of events) this.refs[index].post(EVENTS[event], payload);
  }

  /** Everything posted is durable. */
  flush() {
    return this.store.flush();
  }

  /** Everything posted was handed to the operating system (durability 'os': at the end of the turn). */
  endOfTurn() {
    return nextTurn();
  }

  /** @param {string} id */
  get(id) {
    return this.orders.get(id);
  }

  /**
   * The instances of a state that were updated last, latest first.
   * @param {number} state
   * @param {number} limit
   * @param {string} [place] where the page before ended
   */
  newestInState(state, limit, place) {
    const { items, cursor } = this.orders.find({
      state: STATES[state],
      orderBy: 'updatedAt',
      direction: 'desc',
      limit,
      cursor: place,
    });
    return { items, place: cursor };
  }

  /** @param {string} customer whose orders come in order of their ids */
  byCustomer(customer) {
    return this.orders.find({ where: { customer }, limit: CUSTOMER_ROWS }).items;
  }

  /** @param {number} state */
  countState(state) {
    return this.orders.count({ state: STATES[state] });
  }

  async close() {
    this.refs = [];
    await this.store.close();
  }
}
