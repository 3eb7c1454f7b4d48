/**
 * Plain text output. On a terminal: bold and dim, and one progress line that rewrites itself; in a
 * file or a pipe: no escape codes, and progress as a few ordinary lines. Respects NO_COLOR.
 */
export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'bad';

export interface Screen {
  /** The part of a stream used here; process.stdout is one. */
  readonly stream: {
    readonly isTTY?: boolean;
    readonly columns?: number;
    write(text: string): unknown;
  };
  readonly isColoured: boolean;
}

/** [on, off] of each style, as SGR parameters (ECMA-48 8.3.117). */
const SGR: Readonly<Record<Exclude<Style, 'plain'>, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  good: [32, 39],
  bad: [31, 39],
};
const CLEAR_LINE = '\r\u001B[K';
const DEFAULT_COLUMNS = 80;
const REDRAW_MS = 50;
const PLAIN_STEPS = 4;

export class Terminal {
  readonly columns: number;
  readonly #screen: Screen;
  #lastDrawn = 0;
  #lastStep = 0;
  #isRewriting = false;

  constructor(screen: Screen) {
    this.#screen = screen;
    // Some terminals say 0 where they do not know.
    this.columns = screen.stream.columns || DEFAULT_COLUMNS;
  }

  line(text: string = ''): void {
    this.#endProgress();
    this.#screen.stream.write(`${text}\n`);
  }

  /** @param nowMs any steady clock; a terminal is redrawn at most every 50 ms */
  progress(share: number, text: string, nowMs: number): void {
    if (this.#screen.stream.isTTY === true) {
      if (nowMs - this.#lastDrawn < REDRAW_MS && share < 1) return;
      this.#lastDrawn = nowMs;
      this.#isRewriting = true;
      this.#screen.stream.write(CLEAR_LINE + text.slice(0, this.columns - 1));
      return;
    }
    const step = Math.floor(share * PLAIN_STEPS);
    if (step <= this.#lastStep) return;
    this.#lastStep = step;
    this.#screen.stream.write(`${text}\n`);
  }

  /** Leaves the progress line as it stands; the next one starts afresh. */
  #endProgress(): void {
    if (this.#isRewriting) this.#screen.stream.write('\n');
    this.#isRewriting = false;
    this.#lastStep = 0;
    this.#lastDrawn = 0;
  }

  paint(style: Style, text: string): string {
    if (style === 'plain' || !this.#screen.isColoured) return text;
    const [on, off] = SGR[style];
    return `\u001B[${on}m${text}\u001B[${off}m`;
  }
}

/** Colours only for a terminal that did not decline them (https://no-color.org). */
export function openTerminal(stream: Screen['stream'], env: NodeJS.ProcessEnv): Terminal {
  const declined = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return new Terminal({ stream, isColoured: stream.isTTY === true && !declined });
}
