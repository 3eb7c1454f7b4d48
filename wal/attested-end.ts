/**
 * Finds the last frame that is known to be synced while frames go by: remembers where each frame
 * ends until something attests it. Holds three numbers per frame in doubt, no objects.
 */
import type { Attested, LogEnd } from './position.ts';
import { NOTHING_ATTESTED, isBehind } from './position.ts';

export class AttestedEnd {
  /** Furthest place attested so far. */
  attested: Attested = NOTHING_ATTESTED;
  /** Behind the last frame, marks aside, at or before that place. */
  end: LogEnd;
  /** Behind the last frame that passed, marks aside. */
  last: LogEnd;
  private segment = 0;
  private first = 0;
  private readonly bytes: number[] = [];
  private readonly chains: number[] = [];
  private readonly offsets: number[] = [];

  constructor(start: LogEnd) {
    this.end = start;
    this.last = start;
  }

  /** A frame that is no mark ended here. */
  passed(segment: number, bytes: number, chain: number, offset: number): void {
    this.last = { segment, bytes, chain, offset };
    if (segment !== this.segment) this.clear();
    this.segment = segment;
    this.bytes.push(bytes);
    this.chains.push(chain);
    this.offsets.push(offset);
  }

  attestAt(segment: number, bytes: number, offset: number): void {
    const known = this.attested;
    if (segment > known.segment || (segment === known.segment && bytes > known.bytes))
      this.attest({ segment, bytes, offset });
  }

  attest(place: Attested): void {
    if (!isBehind(place, this.attested)) return;
    this.attested = place;
    if (place.segment !== this.segment) return;
    let i = this.first;
    while (i < this.bytes.length && (this.bytes[i] as number) <= place.bytes) i++;
    if (i === this.first) return;
    this.end = {
      segment: this.segment,
      bytes: this.bytes[i - 1] as number,
      chain: this.chains[i - 1] as number,
      offset: this.offsets[i - 1] as number,
    };
    this.first = i;
    if (i === this.bytes.length) this.clear();
  }

  private clear(): void {
    this.first = 0;
    this.bytes.length = 0;
    this.chains.length = 0;
    this.offsets.length = 0;
  }
}
