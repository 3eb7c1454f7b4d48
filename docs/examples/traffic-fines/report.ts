/**
 * Numbers as text: counts, sizes, times, the progress line, bars and a small table. Pure, so that
 * what the demo prints can be tested without running it. Layout assumes one cell a character.
 */
export interface Bar {
  readonly label: string;
  readonly count: number;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

const BAR_CELLS = 20;
const SHOWN_BARS = 14;
const LABEL_CELLS = 34;
const INDENT = '   ';
const BYTE_UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

export function formatBytes(bytes: number): string {
  let size = bytes;
  let unit = 'bytes';
  for (const larger of BYTE_UNITS) {
    if (size < 1024) break;
    size /= 1024;
    unit = larger;
  }
  return `${unit === 'bytes' || size >= 100 ? formatCount(size) : size.toFixed(1)} ${unit}`;
}

export function formatMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 10 ? formatCount(ms) : ms.toFixed(1)} ms`;
}

/** The day in UTC, as in '2012-03-26'. */
export function formatDay(at: number): string {
  return new Date(at).toISOString().replace(/T.*$/, '');
}

/** '1 case', '2 cases'. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

export function perSecond(count: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (count * 1000) / elapsedMs : 0;
}

/** One line: bar, share, how many of how many, speed. */
export function progressLine(done: number, total: number, elapsedMs: number): string {
  const share = total === 0 ? 1 : done / total;
  const filled = Math.round(share * BAR_CELLS);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  const speed = `${formatCount(perSecond(done, elapsedMs))}/s`;
  return `${INDENT}${bar} ${percent} %  ${formatCount(done)} of ${formatCount(total)}  ${speed}`;
}

/** The largest first; what does not fit is summed up in a last line. */
export function barLines(bars: readonly Bar[], columns: number): string[] {
  const sorted = bars.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const shown = sorted.length > SHOWN_BARS + 1 ? sorted.slice(0, SHOWN_BARS) : sorted;
  const rest = sorted.slice(shown.length);
  const largest = shown[0]?.count ?? 0;

  const labels = shown.map(({ label }) => shorten(label, LABEL_CELLS));
  const labelCells = Math.max(0, ...labels.map((label) => label.length));
  const counts = shown.map(({ count }) => formatCount(count));
  const countCells = Math.max(0, ...counts.map((count) => count.length));
  const room = Math.max(8, Math.min(40, columns - INDENT.length - labelCells - countCells - 5));

  const lines = shown.map(({ count }, index) => {
    const label = (labels[index] ?? '').padEnd(labelCells);
    const number = (counts[index] ?? '').padStart(countCells);
    return `${INDENT}${label}  ${number}  ${drawBar(count / largest, room)}`;
  });
  if (rest.length > 0) {
    const sum = rest.reduce((total, { count }) => total + count, 0);
    lines.push(`${INDENT}${plural(rest.length, 'more state')}: ${formatCount(sum)}`);
  }
  return lines;
}

/** Name, value and a remark, in columns. */
export function factLines(facts: readonly Fact[]): string[] {
  const nameCells = Math.max(0, ...facts.map(({ name }) => name.length));
  const valueCells = Math.max(0, ...facts.map(({ value }) => value.length));
  return facts.map(({ name, value, note }) =>
    `${INDENT}${name.padEnd(nameCells)}  ${value.padStart(valueCells)}  ${note}`.trimEnd(),
  );
}

export function shorten(text: string, cells: number): string {
  return text.length <= cells ? text : `${text.slice(0, cells - 1)}…`;
}

/** In eighths of a cell; never empty, so that one case of many can still be seen. */
function drawBar(share: number, cells: number): string {
  const eighths = Math.max(1, Math.round(share * cells * 8));
  return '█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? '');
}
