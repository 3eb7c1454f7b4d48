/**
 * LMDB through lmdb-js: one environment, a database each for instances, events and (if asked
 * for) the two indexes; one synchronous transaction per round, synced before it returns (`noSync` when not durable).
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
   * @param {{ durable?: boolean, indexes?: boolean }} [options]
   */
  static async open(directory, options = {}) {
    return new LmdbPeer(directory, options);
  }

  constructor(directory, { durable = true, indexes = false }) {
    this.root = open({
      path: path.join(directory, 'lmdb'),
      maxDbs: 8,
      mapSize: 16 * GiB,
      overlappingSync: false,
      noSync: !durable,
    });
    const shared = { sharedStructuresKey: Symbol.for('structures') };
    this.instances = this.root.openDB({ name: 'instances', ...shared });
    this.byState = this.root.openDB({ name: 'by-state', encoding: 'binary' });
    this.byCustomer = this.root.openDB({
      name: 'by-customer',
      dupSort: true,
      encoding: 'ordered-binary',
    });
    this.events = this.root.openDB({ name: 'events', keyEncoding: 'uint32', encoding: 'binary' });
    this.log = this.root.openDB({ name: 'log', keyEncoding: 'uint32', encoding: 'binary' });
    this.packr = openPackr(directory);
    this.hasIndexes = indexes;
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

  createInstances(ids, first) {
    const now = Date.now();
    for (let i = 0; i < ids.length; i++) {
      const context = orderContext(first + i);
      this.instances.putSync(ids[i], { state: 0, updatedAt: now, context });
      if (!this.hasIndexes) continue;
      this.byState.putSync([0, now, ids[i]], this.present);
      this.byCustomer.putSync(context.customer, ids[i]);
    }
  }

  /** @param {OrderEvent[]} events one transaction */
  applyBatch(events) {
    this.root.transactionSync(() => {
      const now = Date.now();
      for (const event of events) this.applyEvent(event, now);
    });
  }

  /** @param {OrderEvent} event */
  applyEach(event) {
    return this.root.transaction(() => this.applyEvent(event, Date.now()));
  }

  applyEvent({ id, event, payload }, now) {
    const record = this.instances.get(id);
    const next = nextState(record.state, event);
    const origin = record.state;
    if (this.hasIndexes) {
      this.byState.removeSync([origin, record.updatedAt, id]);
      this.byState.putSync([next, now, id], this.present);
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
    return { state: STATES[record.state], updatedAt: record.updatedAt, context: record.context };
  }

  async close() {
    await this.root.close();
  }
}
