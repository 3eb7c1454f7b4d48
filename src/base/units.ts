/** Sizes in bytes and times in milliseconds, so that limits read as words. */
export const KiB = 1024;
export const MiB: number = 1024 * KiB;
export const GiB: number = 1024 * MiB;
export const HOUR_MS = 3_600_000;
