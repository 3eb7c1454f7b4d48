/** A line on a terminal's stderr that says how far a long read is; nothing anywhere else. */
import { nodeThread } from '../base/thread.ts';
import type { Output } from './shell.ts';
import { size } from './text.ts';

const REDRAW_MS = 100;
/** A read that is over sooner shows nothing at all. */
const QUIET_MS = 300;
const CLEAR_LINE = '\r\u001B[K';

export interface Progress {
  readonly onProgress: ((bytes: number, totalBytes: number) => void) | undefined;
  /** Takes the line away. */
  end(): void;
}

export function progressOn(err: Output, what: string): Progress {
  if (!err.isTerminal) return { onProgress: undefined, end: () => undefined };
  let nextAt = nodeThread.monotonicMs() + QUIET_MS;
  let isShown = false;
  return {
    onProgress(bytes, totalBytes) {
      const now = nodeThread.monotonicMs();
      if (now < nextAt) return;
      nextAt = now + REDRAW_MS;
      isShown = true;
      const share = totalBytes === 0 ? 0 : Math.min(99, Math.floor((bytes / totalBytes) * 100));
      err.write(`${CLEAR_LINE}${what} ${size(bytes)}, ${share} %`);
    },
    end() {
      if (isShown) err.write(CLEAR_LINE);
      isShown = false;
    },
  };
}
