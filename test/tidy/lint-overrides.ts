/**
 * The part of `.oxlintrc.json` that follows from the layer table: one override per layer, in
 * its order, then the ports. After a change of the table, put what the failing test prints
 * into the file.
 */
import { COMMAND, DISK_PORT, LAYERS, TEMPORARY_STORE, TIME_PORT } from './layers.ts';
import { textOf } from './sources.ts';

/** Modules only a port or the command may name; each has a replacement in `src/base`. */
const PORT_MODULES = ['node:fs', 'node:fs/promises', 'fs', 'fs/promises', 'fs-extra'];

interface LintOverride {
  readonly files: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

interface LintConfig {
  readonly overrides: readonly LintOverride[];
}

export function lintConfig(): LintConfig {
  return JSON.parse(textOf('.oxlintrc.json')) as LintConfig;
}

function folderName(at: string): string {
  return at.slice(at.lastIndexOf('/') + 1);
}

export function expectedOverrides(): LintOverride[] {
  const off = (...rules: string[]): Record<string, string> =>
    Object.fromEntries(rules.map((rule) => [`eslint/${rule}`, 'off']));
  return [
    ...layerOverrides(),
    { files: TIME_PORT, rules: off('no-restricted-globals', 'no-restricted-properties') },
    { files: DISK_PORT, rules: off('no-restricted-globals', 'no-restricted-imports') },
    { files: [TEMPORARY_STORE], rules: off('no-restricted-imports') },
    { files: [`${COMMAND}/**`], rules: off('no-console') },
  ];
}

function layerOverrides(): LintOverride[] {
  const folders = LAYERS.map((layer) => layer.at).filter((at) => !at.endsWith('.ts'));
  return LAYERS.map((layer) => {
    const forbidden = folders.filter((at) => at !== layer.at && !layer.may.includes(at));
    const patterns: unknown[] = [];
    if (forbidden.length > 0) {
      const names = forbidden.map(folderName).join('|');
      patterns.push({
        regex: `^\\.\\.?/(.*/)?(${names})/`,
        message: `${layer.at} may import from: ${layer.may.join(', ') || 'nothing else of ours'}.`,
      });
    }
    if (layer.pure === true) {
      patterns.push({ regex: '^node:', message: `${layer.at} runs without Node.` });
    }
    const paths =
      layer.at === COMMAND
        ? []
        : PORT_MODULES.map((name) => ({ name, message: 'Use the FileIo port.' }));
    return {
      files: [layer.at.endsWith('.ts') ? layer.at : `${layer.at}/**`],
      rules: { 'eslint/no-restricted-imports': ['error', { paths, patterns }] },
    };
  });
}
