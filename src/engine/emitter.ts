/** Listeners of a store's events. One that throws is logged, never fatal. */
import type { Logger } from '../base/logger.ts';
import type { StoreEvents } from './api/store.ts';

type Listener = (details: never) => void;

export class Emitter {
  private readonly listeners = new Map<keyof StoreEvents, Set<Listener>>();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  on<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): void {
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
