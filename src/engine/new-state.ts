/** The state before the first record, its ids hashed with a key nobody can guess. */
import type { Random } from '../base/random.ts';
import { State } from '../state/state.ts';

export const HASH_KEY_BYTES = 8;

export function newState(random: Random): State {
  return new State(random.bytes(HASH_KEY_BYTES));
}
