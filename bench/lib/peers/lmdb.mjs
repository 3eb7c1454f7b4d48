/**
 * LMDB through lmdb-js: one environment, a database each for instances, events and (unless
 * left out) the two indexes; one synchronous transaction per round, synced before it returns (`noSync` when not durable).
 * `applyEach` is its own group commit: a promise per event, all of an event turn in one transaction.
 */
import path from 'node:path';
import { open } from 'lmdb';
import { STATES, nextState, orderContext } from '../workload.mjs';
import { openPackr } from './packr.mjs';

/** @typedef {import('../workload.mjs').OrderEvent} OrderEvent */

/** Larger transactions leave a free list that later commits pay for. */
const LOAD_AT_ONCE = 5000;
const GiB = 1024 ** 3;
/** Sequences only grow, so the tree may be filled from its right edge. */
const APPEND = { append: true };

export class LmdbPeer {
  name = 'lmdb';

  /**
   * @param {string} directory
   * @param {{ durable?: boolean, indexes?: boolean, clock?: { now(): number } }} [options]
   */
  static async open(directory, options = {}) {
    return new LmdbPeer(directory, options);
  }

  constructor(directory, { durable = true, indexes = true, clock = Date }) {
    this.root = open({
      path: path.join(directory, 'lmdb'),
      maxDbs: 8,
      mapSize: 16 * GiB,
      overlappingSync: false,
      noSync: !durable,
    });
    const shared = { sharedStructuresKey: Symbol.for('structures') };
    this.instances = this.root.openDB({ name: 'instances', ...shared });
    this.states = this.root.openDB({ name: 'by-state', encoding: 'binary' });
    this.customers = this.root.openDB({
      name: 'by-customer',
      dupSort: true,
      encoding: 'ordered-binary',
    });
    this.events = this.root.openDB({ name: 'events', keyEncoding: 'uint32', encoding: 'binary' });
    this.log = this.root.openDB({ name: 'log', keyEncoding: 'uint32', encoding: 'binary' });
    this.packr = openPackr(directory);
    this.hasIndexes = indexes;
    this.clock = clock;
    this.sequence = 0;
    this.present = Buffer.alloc(1);
  }

  /**
   * @param {string[]} ids
   * @param {number} first number of the first of them
   */
  async load(ids, first = 0) {
    for (let from = 0; from < ids.length; from += LOAD_AT_ONCE) {
      const some = ids.slice(from, from + LOAD_AT_ONCE);
      this.root.transactionSync(() => this.createInstances(some, first + from));
    }
  }

  /**
   * One transaction, each database filled in the order of its keys, then one sync (for `durable: false`).
   * @param {string[]} ids in order
   */
  async bulkLoad(ids) {
    this.root.transactionSync(() => this.createInOrder(ids));
    await this.sync();
  }

  /** Everything so far is durable (for `durable: false`). */
  async sync() {
    await new Promise((resolve, reject) => {
      this.root.sync((error) => (error ? reject(error) : resolve(undefined)));
    });
  }

  createInOrder(ids) {
    const now = this.clock.now();
    const customers = new Map();
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      const context = orderContext(i);
      this.instances.putSync(id, { state: 0, updatedAt: now, context }, APPEND);
      if (!this.hasIndexes) continue;
      this.states.putSync([0, now, id], this.present, APPEND);
      const list = customers.get(context.customer);
      if (list === undefined) customers.set(context.customer, [id]);
      else list.push(id);
    }
    for (const [customer, list] of [...customers].sort(([a], [b]) => (a < b ? -1 : 1)))
      for (const id of list) this.customers.putSync(customer, id);
  }

  createInstances(ids, first) {
    const now = this.clock.now();
    for (let i = 0; i < ids.length; i++) {
      const context = orderContext(first + i);
      this.instances.putSync(ids[i], { state: 0, updatedAt: now, context });
      if (!this.hasIndexes) continue;
      this.states.putSync([0, now, ids[i]], this.present);
      this.customers.putSync(context.customer, ids[i]);
    }
  }

  /** @param {OrderEvent[]} events one transaction */
  applyBatch(events) {
    this.root.transactionSync(() => {
      const now = this.clock.now();
      for (const event of events) this.applyEvent(event, now);
    });
  }

  /** @param {OrderEvent} event */
  applyEach(event) {
    return this.root.transaction(() => this.applyEvent(event, this.clock.now()));
  }

  applyEvent({ id, event, payload }, now) {
    const record = this.instances.get(id);
    const next = nextState(record.state, event);
    const origin = record.state;
    if (this.hasIndexes) {
      this.states.removeSync([origin, record.updatedAt, id]);
      this.states.putSync([next, now, id], this.present);
    }
    record.state = next;
    record.updatedAt = now;
    Object.assign(record.context, payload);
    this.instances.putSync(id, record);
    const fact = this.packr.pack({ id, event, origin, target: next, at: now, payload });
    this.events.putSync(++this.sequence, fact, APPEND);
  }

  /** @param {Buffer[]} records one transaction */
  appendBatch(records) {
    this.root.transactionSync(() => {
      for (const record of records) this.log.putSync(++this.sequence, record, APPEND);
    });
  }

  /** @param {string} id */
  get(id) {
    const record = this.instances.get(id);
    if (record === undefined) return undefined;
    const { state, updatedAt, context } = record;
    return { id, state: STATES[state], updatedAt, context };
  }

  /**
   * The instances of a state that were updated last, latest first.
   * @param {number} state
   * @param {number} limit
   * @param {unknown[]} [place] key the page before ended with
   */
  newestInState(state, limit, place) {
    const start = place ?? [state + 1];
    const exclusiveStart = place !== undefined;
    const items = [];
    let last;
    for (const key of this.states.getKeys({
      start,
      exclusiveStart,
      end: [state],
      reverse: true,
      limit,
    })) {
      items.push(this.get(key[2]));
      last = key;
    }
    return { items, place: last };
  }

  /** @param {string} customer whose orders come in order of their ids */
  byCustomer(customer) {
    const items = [];
    for (const id of this.customers.getValues(customer)) items.push(this.get(id));
    return items;
  }

  /** @param {number} state */
  countState(state) {
    return this.states.getKeysCount({ start: [state], end: [state + 1] });
  }

  async close() {
    await this.root.close();
  }
}
