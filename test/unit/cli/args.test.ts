import { describe, expect, it } from 'vitest';
import { formatIn, parseArguments } from '../../../src/cli/args.ts';
import { fakeShell, pawl } from './fake-shell.ts';

const parse = (...args: string[]): unknown => parseArguments(args, '1.2.3');

describe('arguments', () => {
  it('name a command, a directory and choices', () => {
    expect(parse('inspect', 'd')).toEqual({
      command: 'inspect',
      directory: 'd',
      format: 'table',
      choices: {},
    });
    expect(parse('inspect', '--watch', 'd')).toMatchObject({ choices: { watch: true } });
    expect(parse('verify', 'd', '--format', 'json')).toEqual({
      command: 'verify',
      directory: 'd',
      format: 'json',
    });
    expect(parse('repair', 'd', '-y')).toMatchObject({ choices: { yes: true } });
    expect(parse('repair', 'd', '--dry-run')).toMatchObject({ choices: { dryRun: true } });
    expect(parse('dump', 'd', '--from', '5', '--limit=2', '-f', 'ndjson')).toEqual({
      command: 'dump',
      directory: 'd',
      format: 'ndjson',
      choices: { from: 5, limit: 2 },
    });
  });

  it.each([
    ['an unknown command', ['frobnicate', 'd']],
    ['no directory', ['verify']],
    ['too many', ['verify', 'a', 'b']],
    ['an unknown option', ['verify', 'd', '--fast']],
    ['an option without its value', ['dump', 'd', '--from']],
    ['an offset that is none', ['dump', 'd', '--from', '0']],
    ['a limit with a unit', ['dump', 'd', '--limit', '10k']],
    ['an offset beyond all', ['dump', 'd', '--from', '99999999999999999999']],
  ])('CLI-2 %s is a usage error, exit code 2', async (_, args) => {
    expect(() => parse(...args)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    const { code, out, err } = await pawl(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('BAD_REQUEST');
    expect(err).toContain('see pawl --help');
  });

  it('CLI-2 an unknown format names the choices', async () => {
    const { code, err } = await pawl(['inspect', 'd', '--format', 'yaml']);
    expect(code).toBe(2);
    for (const format of ['yaml', 'table', 'json', 'ndjson']) expect(err).toContain(format);
  });

  it('a suggestion stands in the same line as the mistake', async () => {
    const { code, err } = await pawl(['verify', 'store', '--formt', 'json']);
    expect(code).toBe(2);
    expect(err).toMatch(/unknown option '--formt' \(Did you mean --format\?\)/);
  });

  it('the error has the format asked for, as far as that can be told', async () => {
    expect(formatIn(['x', '--format', 'json'])).toBe('json');
    expect(formatIn(['x', '--format=ndjson'])).toBe('ndjson');
    expect(formatIn(['x', '--format'])).toBe('table');
    const { err } = await pawl(['frobnicate', '--format', 'json']);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });

  it('help and version go to stdout, each command shows examples', async () => {
    const all = await pawl(['--help']);
    expect([all.code, all.err]).toEqual([0, '']);
    expect(all.out).toContain('Exit codes: 0 ok');
    for (const command of ['inspect', 'verify', 'repair', 'dump']) {
      expect(all.out).toContain(`  ${command} `);
      const { code, out } = await pawl([command, '--help']);
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`Examples:\n {2}\\$ pawl ${command} `));
      expect((await pawl(['help', command])).out).toBe(out);
    }
    expect((await pawl(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('CLI-2 without a command help goes to stderr, exit code 2', async () => {
    const { code, out, err } = await pawl([], fakeShell());
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: pawl');
  });
});
