/**
 * The workload "orders": 8 states, a context of about 165 bytes as JSON, and a stream of legal
 * events. One event reads one instance, checks the transition, merges its payload into the context
 * and appends the event; two secondary indexes follow (state + update time, customer) unless left out.
 *
 * Each contestant has a stream of its own with the same seed. The stream keeps the expected state of
 * every instance, so that it only issues legal events and so that a store can be checked at the end.
 */
import { seededRandom } from './random.mjs';

export const STATES = [
  'created',
  'paid',
  'picking',
  'packed',
  'shipped',
  'delivered',
  'returned',
  'cancelled',
];
export const EVENTS = ['PAY', 'PICK', 'PACK', 'SHIP', 'DELIVER', 'RETURN', 'REOPEN', 'CANCEL'];
const CUSTOMERS = 20_000;
const FORBIDDEN = 255;

/** Next state by `state * 8 + event`; 255 where there is no transition. */
const NEXT_STATE = new Uint8Array(64).fill(FORBIDDEN);
for (let state = 0; state < 7; state++) NEXT_STATE[state * 8 + state] = (state + 1) % 7;
for (let state = 0; state < 4; state++) NEXT_STATE[state * 8 + 7] = 7;

/**
 * @typedef {object} OrderContext
 * @property {string} customer
 * @property {number} total
 * @property {string} currency
 * @property {{ sku: string, qty: number }[]} items
 * @property {number} attempts
 * @property {string} note
 *
 * @typedef {object} OrderEvent
 * @property {number} index number of the instance
 * @property {string} id
 * @property {number} event number of the event in `EVENTS`
 * @property {{ attempts: number }} payload what is merged into the context
 */

/**
 * The rule of the machine, as the peers check it.
 * @param {number} state
 * @param {number} event
 * @returns {number} the next state
 */
export function nextState(state, event) {
  const next = NEXT_STATE[state * 8 + event];
  if (next === undefined || next === FORBIDDEN)
    throw new Error(`no transition from ${state} by ${event}`);
  return next;
}

/**
 * The same rule as a Pawl definition. Lists by state are kept in any case.
 * @param {{ indexes: boolean }} options
 */
export function orderDefinition({ indexes }) {
  const transitions = [];
  for (let state = 0; state < 8; state++) {
    for (let event = 0; event < 8; event++) {
      const next = NEXT_STATE[state * 8 + event];
      if (next !== FORBIDDEN)
        transitions.push({ from: STATES[state], event: EVENTS[event], to: STATES[next] });
    }
  }
  return {
    name: 'order',
    version: 1,
    states: STATES,
    initial: 'created',
    transitions,
    indexes: indexes ? ['customer'] : [],
  };
}

/**
 * Flat strings: a concatenated one would be flattened by whichever contestant reads it first.
 * @param {number} count
 * @returns {string[]}
 */
export function orderIds(count) {
  const ids = new Array(count);
  for (let index = 0; index < count; index++) ids[index] = orderId(index);
  return ids;
}

/** @param {number} index */
export function orderId(index) {
  return Buffer.from('order-' + String(index).padStart(9, '0'), 'latin1').toString('latin1');
}

/**
 * Ids as applications have them: random UUIDs, in no order.
 * @param {number} count
 * @param {number} seed
 * @returns {string[]}
 */
export function randomIds(count, seed) {
  const random = seededRandom(seed);
  const bytes = Buffer.alloc(16);
  return Array.from({ length: count }, () => {
    for (let at = 0; at < 16; at += 4) bytes.writeUInt32LE(random() >>> 0, at);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = bytes.toString('hex');
    const parts = [
      [0, 8],
      [8, 12],
      [12, 16],
      [16, 20],
      [20, 32],
    ];
    const uuid = parts.map(([from, to]) => hex.slice(from, to)).join('-');
    return Buffer.from(uuid, 'latin1').toString('latin1');
  });
}

/**
 * @param {number} index
 * @returns {OrderContext}
 */
export function orderContext(index) {
  const customer = Math.imul(index, 2_654_435_761) >>> 0;
  return {
    customer: 'cust-' + String(customer % CUSTOMERS).padStart(6, '0'),
    total: ((index * 37) % 100_000) / 100,
    currency: 'EUR',
    items: [
      { sku: 'SKU-' + (index % 5000), qty: 1 + (index % 5) },
      { sku: 'SKU-' + ((index * 7) % 5000), qty: 2 },
    ],
    attempts: 0,
    note: 'gift wrap, ring twice',
  };
}

/** Legal events on random instances, and what they must have led to. */
export class EventStream {
  /**
   * @param {string[]} ids
   * @param {number} seed
   */
  constructor(ids, seed) {
    this.ids = ids;
    this.random = seededRandom(seed);
    this.states = new Uint8Array(ids.length);
    this.attempts = new Uint32Array(ids.length);
    this.takenIn = new Uint32Array(ids.length);
    this.round = 0;
    this.issued = 0;
  }

  /** @returns {OrderEvent} */
  next() {
    return this.eventOf(this.random() % this.ids.length);
  }

  /**
   * Distinct instances, so that a peer without reads of its own uncommitted writes can take part.
   * @param {number} count
   * @returns {OrderEvent[]}
   */
  take(count) {
    this.round++;
    const events = new Array(count);
    for (let filled = 0; filled < count;) {
      const index = this.random() % this.ids.length;
      if (this.takenIn[index] === this.round) continue;
      this.takenIn[index] = this.round;
      events[filled++] = this.eventOf(index);
    }
    return events;
  }

  /**
   * @param {number} index
   * @returns {OrderEvent}
   */
  eventOf(index) {
    const state = this.states[index];
    const attempts = this.attempts[index] + 1;
    this.attempts[index] = attempts;
    this.states[index] = nextState(state, state);
    this.issued++;
    return { index, id: this.ids[index], event: state, payload: { attempts } };
  }

  /**
   * Compares a sample of the instances with what the issued events must have led to.
   * @param {string} name
   * @param {(id: string) => { state: string, context: OrderContext } | undefined} get
   */
  verify(name, get) {
    const step = Math.max(1, Math.floor(this.ids.length / 2000));
    for (let index = 0; index < this.ids.length; index += step) {
      const found = get(this.ids[index]);
      const state = STATES[this.states[index]];
      if (found?.state !== state || found.context.attempts !== this.attempts[index]) {
        const actual = JSON.stringify({ state: found?.state, attempts: found?.context.attempts });
        throw new Error(
          `${name}: ${this.ids[index]} should be ${state} after ${this.attempts[index]} events, is ${actual}`,
        );
      }
    }
  }
}
