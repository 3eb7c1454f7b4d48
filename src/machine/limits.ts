/**
 * Every bound of machines and guards in one table. Each is inclusive: a definition of exactly
 * this size passes. A definition's bytes are bounded by the record limit of the store.
 */

/** Names, states, events and index paths, in UTF-8 bytes. */
export const MAX_NAME_BYTES = 1024;
export const MAX_VERSION = 4_294_967_295;
/** A state takes two bytes of an instance's row. */
export const MAX_STATES = 65_535;
export const MAX_EVENTS = 65_535;
/** Counted with one `from` each. */
export const MAX_TRANSITIONS = 65_535;
export const MAX_TIMEOUTS = 65_535;
export const MAX_INDEXES = 256;
/** Lists and objects inside each other in `meta`, itself included; the same for guards. */
export const MAX_NESTING = 100;
/** Lists, objects and leaves of one definition together: what stops a small input that unfolds without end. */
export const MAX_DEFINITION_VALUES = 1_048_576;
/** UTF-16 units of a guard, as written and in normal form. */
export const MAX_GUARD_LENGTH = 4096;
/** A hundred years of 365.25 days: due times stay safe integers. */
export const MAX_DURATION_MS: number = 36_525 * 24 * 3_600_000;
