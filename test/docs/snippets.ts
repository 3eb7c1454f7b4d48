/** Code in the fences of a markdown page: where it stands, whether it is to be run, and what it claims. */

export interface Snippet {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly isRun: boolean;
  readonly code: string;
}

const FENCE = /^( *)```(ts|js|typescript|javascript)\b([^\n]*)\n([\s\S]*?)^\1```\s*$/gm;
const CLAIM = /^(?!const |let |await |for |if |\/\/)(\S.*?);\s+\/\/ => (.+)$/gm;

export function snippetsOf(page: string, text: string): Snippet[] {
  return [...text.matchAll(FENCE)].map((match) => {
    const [, indent = '', , info = '', code = ''] = match;
    return {
      page,
      line: text.slice(0, match.index).split('\n').length + 1,
      isRun: info.trim() === 'run',
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trimEnd(),
    };
  });
}

/** `expression; // => value` at the start of a line becomes a check of one against the other. */
export function withAssertions(code: string): string {
  return code.replaceAll(CLAIM, 'checkSnippet(($1), ($2));');
}

export function assertionsIn(code: string): number {
  return code.match(CLAIM)?.length ?? 0;
}
