/**
 * Randomness that remembers what ids a store made of it: the one thing the model cannot foresee. That
 * an id is a UUIDv7 of its time and these bytes is tested elsewhere.
 */
import type { Random } from '../../src/base/random.ts';
import { uuidV7 } from '../../src/engine/unique-id.ts';

export class NotingRandom implements Random {
  private readonly random: Random;
  private now = 0;
  private ids: string[] | undefined;

  constructor(random: Random) {
    this.random = random;
  }

  start(now: number): void {
    this.now = now;
    this.ids = [];
  }
  stop(): string[] {
    const ids = this.ids ?? [];
    this.ids = undefined;
    return ids;
  }

  bytes(length: number): Uint8Array {
    const bytes = this.random.bytes(length);
    this.ids?.push(uuidV7(this.now, { bytes: () => bytes.slice(), next: () => 0 }));
    return bytes;
  }
  next(): number {
    return this.random.next();
  }
}
