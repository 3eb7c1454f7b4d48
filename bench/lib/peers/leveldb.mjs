/**
 * LevelDB through classic-level: one atomic batch per round (`sync: true` when durable) with the
 * instance, its index keys (if asked for) and the event. Reads of a round are one getMany or getSync.
 */
import path from 'node:path';
import { ClassicLevel } from 'classic-level';
import { STATES, nextState, orderContext } from '../workload.mjs';
import { openPackr } from './packr.mjs';

/** @typedef {import('../workload.mjs').OrderEvent} OrderEvent */

const LOAD_AT_ONCE = 2000;
const MiB = 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** Numbers as text that sorts like the numbers: times and sequences are below 36^10. */
function sortable(value) {
  return value.toString(36).padStart(10, '0');
}

export class LevelPeer {
  name = 'leveldb';

  /**
   * @param {string} directory
   * @param {{ durable?: boolean, indexes?: boolean }} [options]
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

  constructor(database, directory, { durable = true, indexes = false }) {
    this.database = database;
    this.packr = openPackr(directory);
    this.writeOptions = { sync: durable };
    this.hasIndexes = indexes;
    this.sequence = 0;
  }

  /**
   * @param {string[]} ids
   * @param {number} first number of the first of them
   */
  async load(ids, first = 0) {
    const now = Date.now();
    for (let from = 0; from < ids.length; from += LOAD_AT_ONCE) {
      const to = Math.min(ids.length, from + LOAD_AT_ONCE);
      const operations = [];
      for (let i = from; i < to; i++) {
        const id = ids[i];
        const context = orderContext(first + i);
        const value = this.packr.pack({ state: 0, updatedAt: now, context });
        operations.push({ type: 'put', key: 'i' + id, value });
        if (!this.hasIndexes) continue;
        operations.push({ type: 'put', key: 's0' + sortable(now) + id, value: EMPTY });
        operations.push({ type: 'put', key: 'c' + context.customer + id, value: EMPTY });
      }
      await this.database.batch(operations);
    }
  }

  /**
   * One atomic batch. The customer does not change, so its index key stays: as the engines with
   * indexes of their own would have it.
   * @param {OrderEvent[]} events on distinct instances
   */
  async applyBatch(events) {
    const now = Date.now();
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
    return { state: STATES[state], updatedAt, context };
  }

  async close() {
    await this.database.close();
  }
}
