/**
 * SQLite through better-sqlite3: WAL, synchronous=FULL (OFF when not durable), prepared statements,
 * instances (with two indexes, unless left out) and a table of events, one transaction per round.
 *
 * Settings are what was fastest here while durable: exclusive locking (one process, as with the
 * others), a cache that holds everything, a checkpoint every 10,000 pages.
 */
import path from 'node:path';
import Database from 'better-sqlite3';
import { STATES, nextState, orderContext } from '../workload.mjs';
import { openPackr } from './packr.mjs';

/** @typedef {import('../workload.mjs').OrderEvent} OrderEvent */

const LOAD_AT_ONCE = 10_000;
const INDEXES = `
  CREATE INDEX by_state ON instances (state, updated_at);
  CREATE INDEX by_customer ON instances (customer);
`;
const SCHEMA = `
  CREATE TABLE instances (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    customer TEXT NOT NULL, context BLOB NOT NULL
  );
  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY, instance INTEGER NOT NULL, event INTEGER NOT NULL, origin INTEGER NOT NULL,
    target INTEGER NOT NULL, at INTEGER NOT NULL, payload BLOB NOT NULL
  );
  CREATE TABLE log (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL);
`;

export class SqlitePeer {
  name = 'sqlite';

  /**
   * @param {string} directory
   * @param {{ durable?: boolean, indexes?: boolean, clock?: { now(): number } }} [options]
   */
  static async open(directory, options = {}) {
    return new SqlitePeer(directory, options);
  }

  constructor(directory, { durable = true, indexes = true, clock = Date }) {
    this.database = new Database(path.join(directory, 'sqlite.db'));
    const db = this.database;
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${durable ? 'FULL' : 'OFF'}`);
    db.pragma('cache_size = -1048576');
    db.pragma('wal_autocheckpoint = 10000');
    db.pragma('temp_store = MEMORY');
    if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'instances'").get() === undefined)
      db.exec(indexes ? SCHEMA + INDEXES : SCHEMA);
    this.hasIndexes = indexes;
    this.clock = clock;
    this.packr = openPackr(directory);
    this.prepareStatements();
  }

  prepareStatements() {
    const db = this.database;
    this.selectById = db
      .prepare('SELECT number, state, customer, context FROM instances WHERE id = ?')
      .raw(true);
    this.selectFull = db
      .prepare('SELECT state, updated_at, context FROM instances WHERE id = ?')
      .raw(true);
    this.update = db.prepare(
      'UPDATE instances SET state = ?, updated_at = ?, context = ? WHERE number = ?',
    );
    this.insertEvent = db.prepare(
      'INSERT INTO events (instance, event, origin, target, at, payload) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.insertInstance = db.prepare(
      'INSERT INTO instances (id, state, updated_at, customer, context) VALUES (?, ?, ?, ?, ?)',
    );
    this.insertLog = db.prepare('INSERT INTO log (data) VALUES (?)');
    this.prepareQueries();
    this.applyTransaction = db.transaction((events) => this.applyEvents(events));
    this.createTransaction = db.transaction((ids, first) => this.createInstances(ids, first));
    this.appendTransaction = db.transaction((records) => {
      for (const record of records) this.insertLog.run(record);
    });
  }

  prepareQueries() {
    const columns = 'SELECT id, state, updated_at, context, number FROM instances';
    const newest = 'ORDER BY updated_at DESC, number DESC LIMIT ?';
    const prepare = (/** @type {string} */ rest) =>
      this.database.prepare(`${columns} ${rest}`).raw(true);
    this.selectNewest = prepare(`WHERE state = ? ${newest}`);
    this.selectBehind = prepare(`WHERE state = ? AND (updated_at, number) < (?, ?) ${newest}`);
    this.selectByCustomer = prepare('WHERE customer = ? ORDER BY number');
    this.selectCount = this.database
      .prepare('SELECT count(*) FROM instances WHERE state = ?')
      .pluck(true);
  }

  /** Everything so far is durable (for `durable: false`). */
  async sync() {
    this.database.pragma('synchronous = FULL');
    this.database.pragma('wal_checkpoint(TRUNCATE)');
  }

  /**
   * One transaction without syncs, the indexes made behind the rows, then one sync: what a crash leaves
   * of it is thrown away and loaded again.
   * @param {string[]} ids
   */
  async bulkLoad(ids) {
    const db = this.database;
    db.pragma('journal_mode = MEMORY');
    db.pragma('synchronous = OFF');
    if (this.hasIndexes) db.exec('DROP INDEX by_state; DROP INDEX by_customer;');
    db.exec('BEGIN');
    this.createInstances(ids, 0);
    if (this.hasIndexes) db.exec(INDEXES);
    db.exec('COMMIT');
    db.pragma('synchronous = FULL');
    // Any write: its commit syncs the file, with all that was written before.
    db.pragma('user_version = 1');
    db.pragma('journal_mode = WAL');
  }

  /**
   * @param {string[]} ids
   * @param {number} first number of the first of them
   */
  async load(ids, first = 0) {
    for (let from = 0; from < ids.length; from += LOAD_AT_ONCE) {
      this.createTransaction.immediate(ids.slice(from, from + LOAD_AT_ONCE), first + from);
    }
  }

  createInstances(ids, first) {
    const now = this.clock.now();
    for (let i = 0; i < ids.length; i++) {
      const context = orderContext(first + i);
      this.insertInstance.run(ids[i], 0, now, context.customer, this.packr.pack(context));
    }
  }

  /** @param {OrderEvent[]} events one transaction */
  applyBatch(events) {
    this.applyTransaction.immediate(events);
  }

  applyEvents(events) {
    const now = this.clock.now();
    for (const { id, event, payload } of events) {
      const [number, state, , stored] = this.selectById.get(id);
      const next = nextState(state, event);
      const context = Object.assign(this.packr.unpack(stored), payload);
      this.update.run(next, now, this.packr.pack(context), number);
      this.insertEvent.run(number, event, state, next, now, this.packr.pack(payload));
    }
  }

  /** @param {Buffer[]} records one transaction */
  appendBatch(records) {
    this.appendTransaction.immediate(records);
  }

  /** @param {string} id */
  get(id) {
    const row = this.selectFull.get(id);
    if (row === undefined) return undefined;
    return { id, state: STATES[row[0]], updatedAt: row[1], context: this.packr.unpack(row[2]) };
  }

  /**
   * The instances of a state that were updated last, latest first; rows were numbered in order of their ids.
   * @param {number} state
   * @param {number} limit
   * @param {[number, number]} [place] time and number the page before ended with
   */
  newestInState(state, limit, place) {
    const rows =
      place === undefined
        ? this.selectNewest.all(state, limit)
        : this.selectBehind.all(state, ...place, limit);
    const last = rows.at(-1);
    return { items: rows.map((row) => this.itemOf(row)), place: last && [last[2], last[4]] };
  }

  /** @param {string} customer whose orders come in order of their ids */
  byCustomer(customer) {
    return this.selectByCustomer.all(customer).map((row) => this.itemOf(row));
  }

  /** @param {number} state */
  countState(state) {
    return this.selectCount.get(state);
  }

  itemOf([id, state, updatedAt, context]) {
    return { id, state: STATES[state], updatedAt, context: this.packr.unpack(context) };
  }

  async close() {
    this.database.close();
  }
}
