import { describe, expect, it } from 'vitest';
import type { StoreView } from '../../../src/cli/inspect/model.ts';
import { viewLines } from '../../../src/cli/inspect/terminal.ts';

const recovery: StoreView['recovery'] = {
  bytesTruncated: 0,
  recordsInDoubt: 0,
  recordsNotShown: 0,
  lost: null,
  voidSegments: 0,
  unfinishedFiles: [],
  strayFiles: [],
  savedAside: [],
};

const empty: StoreView = {
  location: '/data',
  ok: true,
  storeId: 'aa',
  formatVersion: 1,
  writer: null,
  firstOffset: 1,
  lastOffset: 0,
  lastCommitAt: null,
  instances: { living: 0, deleted: 0 },
  idempotencyKeys: 0,
  machines: [],
  segments: [],
  snapshots: [],
  disk: { bytes: 0, files: 1 },
  recovery,
  problems: [],
};

const lines = (view: Partial<StoreView>): string[] =>
  viewLines({ ...empty, ...view }, (_, text) => text);

function machine(
  name: string,
  counts: readonly number[],
  state = 's',
): StoreView['machines'][number] {
  const states = counts.map((count, i) => ({ state: `${state}${i}`, count }));
  const living = counts.reduce((sum, one) => sum + one, 0);
  return {
    name,
    indexes: [],
    versions: [{ version: 1, hidden: false, living, deleted: 0, states }],
  };
}

describe('the overview', () => {
  it('of an empty store says so', () => {
    expect(lines({})).toEqual([
      '/data',
      '  store      aa, format 1',
      '  writer     none',
      '  records    none',
      '  instances  0 living, 0 deleted',
      '  keys       0 idempotency keys',
      '  on disk    0 bytes in 1 file',
    ]);
  });

  it('draws bars to the most peopled state, and shares of all', () => {
    const shown = lines({ machines: [machine('m', [1, 4, 3])] }).slice(8);
    expect(shown).toEqual([
      'm v1  8 living',
      '  s0  1   12.5 %  ███████▌',
      '  s1  4   50.0 %  ██████████████████████████████',
      '  s2  3   37.5 %  ██████████████████████▌',
    ]);
  });

  it('of a machine with many states shows the peopled ones, and says how many it left out', () => {
    const counts = Array.from({ length: 400 }, (_, i) => (i % 100 === 7 ? 1 : 0));
    const shown = lines({ machines: [machine('m', counts)] });
    expect(shown.filter((line) => line.startsWith('  s'))).toHaveLength(1 + 4);
    expect(shown.at(-1)).toBe('  and 396 states without instances');
    const crowded = lines({
      machines: [
        machine(
          'm',
          Array.from({ length: 60 }, () => 2),
        ),
      ],
    });
    expect(crowded.at(-1)).toBe('  and 20 more states');
  });

  it('F-77 no name reaches the terminal as a command', () => {
    const wicked = machine('m\u001B[2J\n', [1], 's\u001B[31m');
    const shown = lines({ location: '/a\u001B]0;x\u0007', machines: [wicked] });
    expect(shown.join('\n')).not.toMatch(/[^\P{Cc}\n]/u);
    expect(shown.join('\n')).toContain('m\\u001b[2J\\u000a v1');
  });

  it('of a long log shows the first and the last segments', () => {
    const segments = Array.from({ length: 100 }, (_, i) => ({
      file: `${i}.wal`,
      number: i,
      firstOffset: i + 1,
      lastOffset: i,
      bytesUsed: 512,
      bytes: 1024,
    }));
    const shown = lines({ segments });
    expect(shown.filter((line) => line.includes('.wal'))).toHaveLength(12);
    expect(shown).toContain('… 88 segments more, 88.0 KiB');
    expect(shown.at(-1)).toMatch(/^99\.wal +- +- {2}512 bytes {2}1\.00 KiB {2}█████$/);
  });

  it('notes everything a reopening would find', () => {
    const found = {
      bytesTruncated: 52,
      recordsInDoubt: 1,
      recordsNotShown: 2,
      lost: null,
      voidSegments: 1,
      unfinishedFiles: ['00000009.wal.new'],
      strayFiles: ['1', '2', '3', '4', '5', '6', '7'],
      savedAside: ['/data/damaged-1'],
    };
    const shown = lines({ recovery: found, lastOffset: 12, lastCommitAt: 0 });
    const notes = shown.slice(shown.indexOf('NOTES'));
    expect(notes).toHaveLength(8);
    expect(notes[1]).toContain('52 bytes of an interrupted last write behind record 12');
    expect(notes[2]).toContain('the last record may not be synced');
    expect(notes[6]).toBe('  no business of the store: 1, 2, 3, 4, 5 and 2 more');
    expect(notes[7]).toContain('/data/damaged-1');
  });
});
