/**
 * LevelDB through classic-level: one atomic batch per round (`sync: true` when durable) with the
 * instance, its index keys (unless left out) and the event. Rows are read by getSync, which here is
 * faster than getMany; iterators exist only with promises.
 */
import path from 'node:path';
import { ClassicLevel } from 'classic-level';
import { STATES, nextState, orderContext } from '../workload.mjs';
import { openPackr } from './packr.mjs';

/** @typedef {import('../workload.mjs').OrderEvent} OrderEvent */

const LOAD_AT_ONCE = 2000;
/** Keys taken from an iterator at a time when they are only counted. */
const COUNT_AT_ONCE = 10_000;
const MiB = 1024 * 1024;
const EMPTY = Buffer.alloc(0);
const SORTABLE_LENGTH = 10;

/** Numbers as text that sorts like the numbers: times and sequences are below 36^10. */
function sortable(value) {
  return value.toString(36).padStart(SORTABLE_LENGTH, '0');
}

export class LevelPeer {
  name = 'leveldb';

  /**
   * @param {string} directory
   * @param {{ durable?: boolean, indexes?: boolean, clock?: { now(): number } }} [options]
   */
  static async open(directory, options = {}) {
    const database = new ClassicLevel(path.join(directory, 'leveldb'), {
      keyEncoding: 'utf8',
      valueEncoding: 'buffer',
      cacheSize: 512 * MiB,
      writeBufferSize: 64 * MiB,
    });
    await database.open();
    return new LevelPeer(database, directory, options);
  }

  constructor(database, directory, { durable = true, indexes = true, clock = Date }) {
    this.database = database;
    this.packr = openPackr(directory);
    this.writeOptions = { sync: durable };
    this.hasIndexes = indexes;
    this.clock = clock;
    this.sequence = 0;
  }

  /**
   * @param {string[]} ids
   * @param {number} first number of the first of them
   */
  async load(ids, first = 0) {
    for (let from = 0; from < ids.length; from += LOAD_AT_ONCE) {
      await this.database.batch(this.creates(ids.slice(from, from + LOAD_AT_ONCE), first + from));
    }
  }

  /**
   * Everything so far is durable, but for what the log files before the last one hold: that may still
   * be on its way into a table, which is in this peer's favour.
   */
  async sync() {
    await this.database.put('synced', EMPTY, { sync: true });
  }

  /**
   * It has no faster way than batches.
   * @param {string[]} ids
   */
  async bulkLoad(ids) {
    await this.load(ids);
    await this.sync();
  }

  creates(ids, first) {
    const now = this.clock.now();
    const operations = [];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      const context = orderContext(first + i);
      const value = this.packr.pack({ state: 0, updatedAt: now, context });
      operations.push({ type: 'put', key: 'i' + id, value });
      if (!this.hasIndexes) continue;
      operations.push({ type: 'put', key: 's0' + sortable(now) + id, value: EMPTY });
      operations.push({ type: 'put', key: 'c' + context.customer + id, value: EMPTY });
    }
    return operations;
  }

  /**
   * One atomic batch. The customer does not change, so its index key stays: as the engines with
   * indexes of their own would have it.
   * @param {OrderEvent[]} events on distinct instances
   */
  async applyBatch(events) {
    const now = this.clock.now();
    const operations = [];
    for (const { id, event, payload } of events) {
      const record = this.packr.unpack(this.database.getSync('i' + id));
      const next = nextState(record.state, event);
      const origin = record.state;
      record.state = next;
      const before = record.updatedAt;
      record.updatedAt = now;
      Object.assign(record.context, payload);
      operations.push({ type: 'put', key: 'i' + id, value: this.packr.pack(record) });
      if (this.hasIndexes) {
        operations.push({ type: 'del', key: 's' + origin + sortable(before) + id });
        operations.push({ type: 'put', key: 's' + next + sortable(now) + id, value: EMPTY });
      }
      const fact = this.packr.pack({ id, event, origin, target: next, at: now, payload });
      operations.push({ type: 'put', key: 'e' + sortable(++this.sequence), value: fact });
    }
    await this.database.batch(operations, this.writeOptions);
  }

  /** @param {Buffer[]} records one atomic batch */
  async appendBatch(records) {
    const operations = new Array(records.length);
    for (let i = 0; i < records.length; i++) {
      operations[i] = { type: 'put', key: 'l' + sortable(++this.sequence), value: records[i] };
    }
    await this.database.batch(operations, this.writeOptions);
  }

  /** @param {string} id */
  get(id) {
    const stored = this.database.getSync('i' + id);
    if (stored === undefined) return undefined;
    const { state, updatedAt, context } = this.packr.unpack(stored);
    return { id, state: STATES[state], updatedAt, context };
  }

  /**
   * The instances of a state that were updated last, latest first.
   * @param {number} state
   * @param {number} limit
   * @param {string} [place] key the page before ended with
   */
  async newestInState(state, limit, place = 's' + (state + 1)) {
    const range = { gt: 's' + state, lt: place, reverse: true, limit };
    const keys = await this.database.keys(range).all();
    const start = 2 + SORTABLE_LENGTH;
    return { items: keys.map((key) => this.read(key.slice(start))), place: keys.at(-1) };
  }

  /** @param {string} customer whose orders come in order of their ids */
  async byCustomer(customer) {
    const prefix = 'c' + customer;
    const keys = await this.database.keys({ gt: prefix, lt: prefix + '~' }).all();
    return keys.map((key) => this.read(key.slice(prefix.length)));
  }

  /** @param {number} state */
  async countState(state) {
    const iterator = this.database.keys({ gt: 's' + state, lt: 's' + (state + 1) });
    let count = 0;
    for (let more = -1; more !== 0; count += more)
      more = (await iterator.nextv(COUNT_AT_ONCE)).length;
    await iterator.close();
    return count;
  }

  read(id) {
    const { state, updatedAt, context } = this.packr.unpack(this.database.getSync('i' + id));
    return { id, state: STATES[state], updatedAt, context };
  }

  async close() {
    await this.database.close();
  }
}
