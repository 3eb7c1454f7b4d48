/** `pawl inspect DIR`: an overview of a store, once or whenever its files change. */
import { toJson } from '../../value/json.ts';
import { EXIT } from '../exit-code.ts';
import { type StoreView, viewStore } from '../inspect/model.ts';
import { viewLines } from '../inspect/terminal.ts';
import { watchDirectory } from '../inspect/watch.ts';
import { type Context, printResult } from '../output.ts';
import { progressOn } from '../progress.ts';
import { painter } from '../text.ts';
import { problemLines } from './verify.ts';

export interface InspectChoices {
  readonly watch?: boolean | undefined;
}

const HOME = '\u001B[H';
const CLEAR_TO_LINE_END = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';

export async function inspect(
  directory: string,
  choices: InspectChoices,
  context: Context,
): Promise<number> {
  const progress = progressOn(context.shell.err, 'reading');
  const view = await viewStore(directory, progress.onProgress);
  progress.end();
  if (choices.watch !== true) {
    printResult(context, view, () => linesOf(view, context));
    return view.ok ? EXIT.ok : EXIT.error;
  }
  await follow(directory, view, context);
  return EXIT.ok;
}

function linesOf(view: StoreView, context: Context): string[] {
  return [...viewLines(view, painter(context.shell.out)), ...problemLines(view.problems)];
}

async function follow(directory: string, first: StoreView, context: Context): Promise<void> {
  const { shell } = context;
  let shown = '';
  const show = (view: StoreView): void => {
    const text = toJson(view);
    if (text === shown) return;
    showAgain(view, text, context, shown === '');
    shown = text;
  };
  // Before the first view: whoever has seen that may press Ctrl-C.
  const interrupted = new Promise<void>((resolve) => shell.onInterrupt(resolve));
  show(first);
  await watchDirectory(
    directory,
    async () => {
      if (shell.isAbandoned()) return;
      show(await viewStore(directory));
    },
    interrupted,
  );
}

/** On a terminal the screen is rewritten in place; anywhere else block follows block, line follows line. */
function showAgain(view: StoreView, text: string, context: Context, isFirst: boolean): void {
  const { out } = context.shell;
  if (context.format !== 'table') {
    out.write(`${text}\n`);
    return;
  }
  const lines = linesOf(view, context);
  if (!out.isTerminal) {
    out.write(`${isFirst ? '' : '\n'}${lines.join('\n')}\n`);
    return;
  }
  // More than the screen holds would scroll, and the next one would be written below.
  const room = out.rows === undefined ? lines.length : out.rows - 2;
  const shown = [...lines.slice(0, room), painter(out)('dim', 'watching; Ctrl-C ends')];
  const clear = isFirst ? `${HOME}${CLEAR_BELOW}` : HOME;
  const body = shown.map((line) => `${line}${CLEAR_TO_LINE_END}\n`).join('');
  out.write(`${clear}${body}${CLEAR_BELOW}`);
}
