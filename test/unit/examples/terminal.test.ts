/** Output: one rewriting line on a terminal, ordinary lines elsewhere, colours only where wanted. */
import { describe, expect, it } from 'vitest';
import { openTerminal } from '../../../docs/examples/traffic-fines/terminal.ts';

function capture(isTTY: boolean): {
  stream: { isTTY: boolean; columns: number; write: (text: string) => void };
  text: () => string;
} {
  const written: string[] = [];
  return {
    stream: { isTTY, columns: 40, write: (text) => written.push(text) },
    text: () => written.join(''),
  };
}

const ESCAPE = '\u001B';

describe('the terminal', () => {
  it('rewrites one line on a terminal, cut to its width, and leaves it standing', () => {
    const { stream, text } = capture(true);
    const terminal = openTerminal(stream, {});
    terminal.progress(0.1, 'x'.repeat(100), 1000);
    terminal.progress(0.2, 'too soon', 1010);
    terminal.progress(0.3, 'later', 1100);
    terminal.line('done');
    expect(text()).toBe(`\r${ESCAPE}[K${'x'.repeat(39)}\r${ESCAPE}[Klater\ndone\n`);
  });

  it('writes a few ordinary lines and no escape codes elsewhere', () => {
    const { stream, text } = capture(false);
    const terminal = openTerminal(stream, {});
    for (let done = 0; done <= 100; done += 1) terminal.progress(done / 100, `${done} %`, done);
    terminal.line(terminal.paint('good', 'done'));
    expect(text()).toBe('25 %\n50 %\n75 %\n100 %\ndone\n');
  });

  it('starts afresh after an ordinary line', () => {
    const { stream, text } = capture(false);
    const terminal = openTerminal(stream, {});
    terminal.progress(0.9, 'first', 0);
    terminal.line('between');
    terminal.progress(0.3, 'second', 1);
    expect(text()).toBe('first\nbetween\nsecond\n');
  });

  it.each([
    ['a terminal', true, {}, true],
    ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['a terminal with an empty NO_COLOR', true, { NO_COLOR: '' }, true],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ['a pipe', false, {}, false],
  ])('colours on %s: %s, %o -> %s', (_, isTTY, env, isColoured) => {
    const terminal = openTerminal(capture(isTTY).stream, env);
    expect(terminal.paint('bold', 'x').includes(ESCAPE)).toBe(isColoured);
  });
});
