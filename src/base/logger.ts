/** The Logger port. Silent by default: a library does not write to somebody else's console. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Logger {
  log(level: LogLevel, message: string, fields?: Record<string, unknown>): void;
}

export const silentLogger: Logger = { log: () => undefined };

/** A logger whose own failures stay its own: nothing here may fail because a line could not be written. */
export function guardedLogger(logger: Logger): Logger {
  return {
    log(level, message, fields) {
      try {
        logger.log(level, message, fields);
      } catch {
        // There is nobody left to tell: the one who is told is the one who failed.
      }
    },
  };
}
