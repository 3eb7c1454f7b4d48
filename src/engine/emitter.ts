/** Listeners of a store's events. One that throws is logged, never fatal. */
import { badRequest } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { StoreEvents } from './api/store.ts';

const EVENTS: readonly (keyof StoreEvents)[] = [
  'degraded',
  'recovered',
  'snapshot',
  'compaction',
  'corruption',
];

type Listener = (details: never) => void;

export class Emitter {
  private readonly listeners = new Map<keyof StoreEvents, Set<Listener>>();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  /** @throws {StoreError} BAD_REQUEST - no such event, or no function */
  on<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): void {
    if (!EVENTS.includes(event))
      throw badRequest(`there is no such event; there are ${EVENTS.join(', ')}`, 'event');
    if (typeof listener !== 'function') throw badRequest('listener must be a function', 'listener');
    let known = this.listeners.get(event);
    if (known === undefined) {
      known = new Set();
      this.listeners.set(event, known);
    }
    known.add(listener);
  }

  off<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): void {
    this.listeners.get(event)?.delete(listener);
  }

  emit<K extends keyof StoreEvents>(event: K, details: StoreEvents[K]): void {
    for (const listener of this.listeners.get(event) ?? []) {
      try {
        (listener as (details: StoreEvents[K]) => void)(details);
      } catch (error) {
        this.logger.log('error', `a listener of '${event}' threw`, { error });
      }
    }
  }
}
