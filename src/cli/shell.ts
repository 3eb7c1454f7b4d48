/**
 * What the command may touch of the process: its streams, its environment, a question and Ctrl-C.
 * Commands are given a Shell, so tests run them without a process. The only file here that knows
 * `process`, besides main.ts.
 */
import { createInterface } from 'node:readline/promises';

/** A stream of text, and what it is connected to. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Characters a line holds; undefined when nobody looks at it, and nothing is to be cut. */
  readonly columns: number | undefined;
  /** Lines of the screen; undefined when there is none. */
  readonly rows: number | undefined;
  readonly isColoured: boolean;
}

export interface Shell {
  readonly out: Output;
  readonly err: Output;
  /** May a person be asked? */
  readonly canAsk: boolean;
  /** Whoever read the output has gone away (`| head`): there is no use in going on. */
  readonly isAbandoned: () => boolean;
  ask(question: string): Promise<string>;
  /** Calls back at Ctrl-C instead of ending the process. */
  onInterrupt(run: () => void): void;
}

const DEFAULT_COLUMNS = 80;

export function processShell(): Shell {
  const { stdout, stderr, stdin, env } = process;
  // https://no-color.org
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  let isAbandoned = false;
  const onError = (error: NodeJS.ErrnoException): void => {
    isAbandoned = true;
    // A reader that has enough is no failure; a full disk behind `>` is.
    if (error.code !== 'EPIPE') process.exitCode = 1;
  };
  stdout.on('error', onError);
  stderr.on('error', onError);
  const output = (stream: NodeJS.WriteStream): Output => ({
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    get columns() {
      // Some terminals say 0 where they do not know.
      return stream.isTTY ? stream.columns || DEFAULT_COLUMNS : undefined;
    },
    get rows() {
      return stream.isTTY ? stream.rows || undefined : undefined;
    },
    isColoured: stream.isTTY && !isPlain,
  });
  return {
    out: output(stdout),
    err: output(stderr),
    canAsk: stdin.isTTY && stderr.isTTY,
    isAbandoned: () => isAbandoned,
    async ask(question) {
      const reader = createInterface({ input: stdin, output: stderr });
      try {
        return await reader.question(question);
      } finally {
        reader.close();
      }
    },
    onInterrupt: (run) => void process.once('SIGINT', run),
  };
}
