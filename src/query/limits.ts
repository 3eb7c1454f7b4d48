/** Every bound of the query language in one table. Each is inclusive: a filter of exactly this size passes. */

/** UTF-8 bytes of a path, its dots included: as long as the path of an index may be. */
export const MAX_PATH_BYTES = 1024;
export const MAX_PATH_PARTS = 64;
/** Filters and operator objects inside each other, the outermost included. */
export const MAX_FILTER_NESTING = 32;
/** Comparisons of one filter together. */
export const MAX_CONDITIONS = 1000;
/** Filters and operator objects of one filter together: what stops a small input that unfolds without end. */
export const MAX_FILTERS = 10_000;
/** Values of one `in` or `notIn`. */
export const MAX_LIST_VALUES = 10_000;
/** UTF-8 bytes of a string that go into its key; a longer one is told apart by looking at the value. */
export const MAX_KEY_TEXT_BYTES = 1000;
