/** Sizes in bytes and times in milliseconds, so that limits read as words. */
export const KiB = 1024;
export const MiB: number = 1024 * KiB;
export const GiB: number = 1024 * MiB;
export const SECOND_MS = 1000;
export const HOUR_MS: number = 3600 * SECOND_MS;
