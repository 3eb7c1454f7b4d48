/**
 * Reads the project's own sources for the house-rule tests: which files there are,
 * their text without comments, and what they import. Text patterns, not a parser: enough for
 * rules about imports and names, and checked against samples in `tidy.test.ts`.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', '.tmp']);

/** Paths of every file of the project from its root, with '/', sorted. */
export function projectFiles(folder = ''): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(ROOT + folder, { withFileTypes: true })) {
    if (NOT_OURS.has(entry.name)) continue;
    if (entry.isDirectory()) found.push(...projectFiles(`${folder}${entry.name}/`));
    else if (!entry.name.endsWith('.tgz')) found.push(folder + entry.name);
  }
  return found.sort();
}

/** The files that are built and shipped. */
export function shippedSources(): string[] {
  return projectFiles().filter((path) => /^(?:src|wal)\/.*\.ts$/.test(path));
}

export function textOf(path: string): string {
  return readFileSync(ROOT + path, 'utf8');
}

const STRING_OR_COMMENT =
  /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** The same text with every comment blanked; line numbers stay. */
export function withoutComments(text: string): string {
  return text.replace(
    STRING_OR_COMMENT,
    (match: string, literal: string | undefined) => literal ?? match.replace(/[^\n]/g, ' '),
  );
}

const IMPORT =
  /(?:^|[\n;])\s*(?:import|export)\s+(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

/** Every module a file names, static, dynamic, re-exported or types only, as written. */
export function importsOf(text: string): string[] {
  return [...withoutComments(text).matchAll(IMPORT)].map((match) => (match[1] ?? match[2])!);
}

/** The project file a relative import means, or undefined for a package or Node module. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(from), specifier);
}

/** The comment a file opens with (after a `#!` line), or undefined. */
export function headerOf(text: string): string | undefined {
  return /^(?:#![^\n]*\n)?(\/\*\*[\s\S]*?\*\/|(?:\/\/[^\n]*\n)+)/.exec(text)?.[1];
}
