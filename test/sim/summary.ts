/** What `npm run crash` says: a line now and then on the way, and a table or JSON at the end. */
import type { CampaignResult } from './campaign.ts';
import { describePhases } from './campaign.ts';
import { noPhases, PHASES } from './phases.ts';
import { type Asked, type CampaignName, CAMPAIGNS } from './command-line.ts';

export type Results = ReadonlyMap<CampaignName, readonly CampaignResult[]>;

export interface Row extends CampaignResult {
  readonly campaign: string;
}

type Count = 'runs' | 'states' | 'distinct' | 'faults' | 'damages' | 'commands';
const COUNTS: readonly Count[] = ['runs', 'states', 'distinct', 'faults', 'damages', 'commands'];

function sum(campaign: string, results: readonly CampaignResult[]): Row {
  const total = (count: Count): number => results.reduce((all, one) => all + one[count], 0);
  const counts = Object.fromEntries(COUNTS.map((count) => [count, total(count)]));
  // Jobs run side by side.
  const durationMs = Math.max(0, ...results.map((one) => one.durationMs));
  const violations = results.flatMap((one) => [...one.violations]);
  const phases = noPhases();
  for (const one of results) for (const phase of PHASES) phases[phase] += one.phases?.[phase] ?? 0;
  return { campaign, ...(counts as Record<Count, number>), phases, durationMs, violations };
}

/** A row for each campaign that ran, and one for all. Campaigns of one job follow each other. */
export function rowsOf(results: Results): Row[] {
  const rows = CAMPAIGNS.filter((name) => results.has(name)).map((name) =>
    // A job that has told nothing yet leaves a hole.
    sum(name, Array.from(results.get(name) ?? []).filter(Boolean)),
  );
  const durationMs = rows.reduce((all, row) => all + row.durationMs, 0);
  return [...rows, { ...sum('all', rows), durationMs }];
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function rateOf({ distinct, durationMs }: CampaignResult): number {
  return durationMs > 0 ? (distinct * 1000) / durationMs : 0;
}

export function progressLine(results: Results, asked: Asked, elapsedMs: number): string {
  const all = rowsOf(results).at(-1) as Row;
  const rate = elapsedMs > 0 ? (all.distinct * 1000) / elapsedMs : 0;
  const { minutes, states } = asked;
  const leftMs =
    minutes === undefined
      ? (Math.max(0, states - all.distinct) / Math.max(rate, 1e-9)) * 1000
      : minutes * 60_000 - elapsedMs;
  const isKnown = rate > 0 && !asked.isExhaustive;
  return [
    `${grouped(all.states)} states`,
    `${grouped(all.distinct)} distinct`,
    `${grouped(rate)}/s`,
    `${all.violations.length} violations`,
    isKnown ? `about ${grouped(Math.max(0, leftMs) / 1000)} s left` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

export function table(rows: readonly Row[]): string {
  const head = ['campaign', ...COUNTS, 'distinct/s', 'violations'];
  const lines = rows.map((row) => [
    row.campaign,
    ...COUNTS.map((count) => grouped(row[count])),
    grouped(rateOf(row)),
    String(row.violations.length),
  ]);
  const widths = head.map((text, i) =>
    Math.max(text.length, ...lines.map((line) => (line[i] ?? '').length)),
  );
  const format = (line: readonly string[]): string =>
    line
      .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join('  ');
  const { phases = noPhases() } = rows.at(-1) ?? {};
  const hasAny = PHASES.some((phase) => phases[phase] > 0);
  const more = hasAny ? [`states: ${describePhases(phases)}`] : [];
  return [...[head, ...lines].map(format), ...more].join('\n');
}

export function violationText(rows: readonly Row[]): string {
  return (rows.at(-1)?.violations ?? [])
    .map(({ token, message }) => `${message}\n  again: npm run crash -- --replay ${token}`)
    .join('\n');
}
