/**
 * Pawl behind the same shape as the peers: the store of this repository as it was built (`../dist`).
 * `customer` is declared as an index in the definition, but not kept yet; nor are lists by state.
 */
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { EVENTS, orderContext, orderDefinition } from './workload.mjs';

/** @typedef {import('./workload.mjs').OrderEvent} OrderEvent */

const DIST = path.resolve(import.meta.dirname, '../../dist');
const LOAD_AT_ONCE = 2000;

/** @returns {Promise<any>} the built package */
export function importPawl() {
  return importBuilt('src/index.js');
}

/** @returns {Promise<any>} the built log alone */
export function importLog() {
  return importBuilt('wal/index.js');
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
   * @param {{ durable?: boolean }} [options]
   */
  static async open(directory, options = {}) {
    const { openStore, defineMachine } = await importPawl();
    const store = await openStore(path.join(directory, 'pawl'), {
      durability: (options.durable ?? true) ? 'always' : 'os',
      snapshotInterval: 0,
    });
    const orders = await store.machine(defineMachine(orderDefinition()));
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

  async close() {
    this.refs = [];
    await this.store.close();
  }
}
