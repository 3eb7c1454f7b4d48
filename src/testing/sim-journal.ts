/**
 * What a simulated disk has been asked to do, in order: the effects a crash may or may not keep,
 * and what makes them durable. Files are numbers that no other file of that disk ever has.
 */

/** A change of what the running system sees at once, and the disk holds when it was synced. */
export type Effect =
  | { readonly kind: 'mkdir'; readonly path: string }
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'remove'; readonly path: string; readonly file: number }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string; readonly file: number }
  | {
      readonly kind: 'write';
      readonly file: number;
      readonly at: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'truncate'; readonly file: number; readonly length: number };

/** `before`: of the entries below this number. What was asked for later, a sync need not have met. */
export type Entry =
  | Effect
  /** A synced write came back: that one entry is durable. */
  | { readonly kind: 'durable'; readonly write: number }
  /**
   * `failed`: it ended in an error, after which Linux takes what it could not write for written. No
   * later sync of the file makes those writes durable, though readers go on seeing them.
   */
  | {
      readonly kind: 'sync';
      readonly file: number;
      readonly before: number;
      readonly failed?: true;
    }
  | { readonly kind: 'syncdir'; readonly path: string; readonly before: number }
  /** Not of the disk: somebody outside was told something. */
  | { readonly kind: 'told'; readonly what: unknown };

export function isEffect(entry: Entry): entry is Effect {
  switch (entry.kind) {
    case 'durable':
    case 'sync':
    case 'syncdir':
    case 'told':
      return false;
    default:
      return true;
  }
}

/** What a crash leaves of an effect. */
export type Survival =
  | 'whole'
  | 'none'
  /** Of a write behind the end of its file: its length, but zeros instead of its bytes. */
  | 'length'
  | TornWrite;

/** Of a write: those of its sectors a disk got to, in no order; a name counts as whole. */
export interface TornWrite {
  readonly sectorBytes: number;
  /** Which sectors: one bit each, repeated. */
  readonly sectors: number;
  /** Its file has the length the whole write gives it; sectors behind the kept ones are zeros. */
  readonly isLengthKept?: boolean;
}
