/** The command line of the demo: defaults, limits, and what is refused. */
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../docs/examples/traffic-fines/options.ts';

function parse(...args: string[]): ReturnType<typeof parseOptions> {
  return parseOptions(args, 'default.gz');
}

describe('options of the demo', () => {
  it('has a default for everything', () => {
    expect(parse()).toEqual({
      kind: 'run',
      options: {
        logFile: 'default.gz',
        expectFile: 'default.gz',
        concurrency: 400,
        killAt: 0.5,
        isKept: false,
      },
    });
  });

  it('takes them all, compares with the log it replays, and keeps a directory it was given', () => {
    const parsed = parse('--log=a', '--cases=9', '--concurrency', '8', '--kill-at', '1', '--dir=d');
    expect(parsed).toEqual({
      kind: 'run',
      options: {
        directory: 'd',
        logFile: 'a',
        expectFile: 'a',
        caseLimit: 9,
        concurrency: 8,
        killAt: 1,
        isKept: true,
      },
    });
    expect(parse('--expect', 'b', '--keep')).toMatchObject({
      options: { logFile: 'default.gz', expectFile: 'b', isKept: true },
    });
  });

  it('answers --help', () => {
    expect(parse('--help')).toEqual({ kind: 'help' });
  });

  it.each([
    ['an unknown option', ['--fast'], '--fast'],
    ['an argument', ['log.gz'], 'log.gz'],
    ['no value', ['--log'], '--log'],
    ['zero cases', ['--cases', '0'], '--cases'],
    ['half a case', ['--cases', '1.5'], '--cases'],
    ['no concurrency', ['--concurrency', '0'], '--concurrency'],
    ['too much concurrency', ['--concurrency', '10001'], '--concurrency'],
    ['a share above one', ['--kill-at', '1.1'], '--kill-at'],
    ['a share that is no number', ['--kill-at', 'half'], '--kill-at'],
    ['an empty share', ['--kill-at', ''], '--kill-at'],
  ])('refuses %s and says which', (_, args, named) => {
    const parsed = parse(...args);
    expect(parsed).toMatchObject({ kind: 'wrong', reason: expect.stringContaining(named) });
  });
});
