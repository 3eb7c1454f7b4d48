/** docs/format.md, src and wal say the same, byte by byte; so does a reader that knows only the page. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../src/base/bytes.ts';
import { MAX_ID_BYTES } from '../src/base/id-slot.ts';
import { ARENA_BYTES } from '../src/base/slab-heap.ts';
import { openStore } from '../src/index.ts';
import { Annotations } from '../src/record/annotations.ts';
import * as encode from '../src/record/encode.ts';
import * as vectors from '../src/record/encode-vectors.ts';
import { FIELD, KNOWN_FIELDS, RECORD_KIND } from '../src/record/kind.ts';
import { fingerprint } from '../src/value/fingerprint.ts';
import * as value from '../src/value/format.ts';
import { writeValue } from '../src/value/write-value.ts';
import * as snapshot from '../src/snapshot/format.ts';
import * as wal from '../wal/format.ts';
import { makeExample } from './docs/example-store.ts';
import {
  example,
  leadBytes,
  limits,
  optionalFields,
  recordShapes,
  structure,
  tableUnder,
} from './docs/format-page.ts';
import { SecondReader, bytesOfListing, listing } from './docs/second-reader.ts';
import { textOf } from './tidy/sources.ts';

const page = textOf('docs/format.md');

describe('tables', () => {
  it.each([
    ['Segment header', wal.SEGMENT_HEADER],
    ['Frame header', wal.FRAME],
    ['Link payload', wal.LINK],
    ['Manifest slot', wal.MANIFEST_SLOT],
    ['Snapshot header', snapshot.SNAPSHOT_HEADER],
    ['Chunk entry', snapshot.CHUNK_ENTRY],
    ['Snapshot footer', snapshot.SNAPSHOT_FOOTER],
    ['Rows header', snapshot.ROWS_HEADER],
    ['Column', snapshot.COLUMN],
    ['Index columns header', snapshot.INDEX_HEADER],
    ['Bucket', snapshot.BUCKET],
    ['Deleted entry', snapshot.DELETED],
    ['Catalogue', snapshot.CATALOGUE],
    ['Catalogue entry', snapshot.CATALOGUE_ENTRY],
  ] as const)('%s has the fields of the code, and no gap', (heading, { size, ...offsets }) => {
    const fields = structure(heading).filter(({ name }) => name !== 'reserved');
    const { reserved: _, ...expected } = { reserved: 0, ...offsets };
    expect(Object.fromEntries(fields.map(({ name, at }) => [name, at]))).toEqual(expected);
    let end = 0;
    for (const field of structure(heading)) {
      expect(field.at).toBe(end);
      end += field.size;
    }
    expect(end).toBe(size);
  });

  it('kinds of frames, magics, version, slots and alignment', () => {
    const kinds = Object.entries(wal.FRAME_KIND).map(([name, kind]) => `${kind} ${name}`);
    const row = (heading: string, field: string): string =>
      tableUnder(heading).find(([, , name]) => name === `\`${field}\``)![3]!;
    expect(row('Frame header', 'kind')).toBe(kinds.join(', '));
    const text = (magic: number, size: number): string =>
      String.fromCharCode(...Array.from({ length: size }, (_, i) => (magic >>> (8 * i)) & 255));
    expect(row('Segment header', 'magic')).toBe(`\`${text(wal.SEGMENT_MAGIC, 4)}\``);
    expect(row('Frame header', 'magic')).toBe(`\`${text(wal.FRAME_MAGIC, 2)}\``);
    expect(row('Manifest slot', 'magic')).toBe(`\`${text(wal.MANIFEST_MAGIC, 4)}\``);
    for (const heading of ['Segment header', 'Frame header', 'Manifest slot'])
      expect(row(heading, 'version')).toBe(`of the format: ${wal.FORMAT_VERSION}`);
    expect(page).toContain(`Frames start at multiples of ${wal.FRAME_ALIGNMENT}.`);
    expect(page).toContain('Two slots of 4,096 bytes.');
    expect([wal.MANIFEST_SLOTS, wal.MANIFEST_SLOT.size]).toEqual([2, 4096]);
  });

  it('kinds of chunks, columns, magics and versions of snapshots', () => {
    const kinds = tableUnder('Chunk kinds').map(([kind, name]) => [
      name!.replaceAll('`', ''),
      Number(kind),
    ]);
    expect(Object.fromEntries(kinds)).toEqual(snapshot.CHUNK);
    const text = (magic: number): string => Buffer.from(Uint32Array.of(magic).buffer).toString();
    const row = (heading: string, field: string): string =>
      tableUnder(heading).find(([, , name]) => name === `\`${field}\``)![3]!;
    expect(row('Snapshot header', 'magic')).toBe(`\`${text(snapshot.SNAPSHOT_MAGIC)}\``);
    expect(row('Snapshot footer', 'magic')).toBe(`\`${text(snapshot.FOOTER_MAGIC)}\``);
    expect(row('Snapshot header', 'version')).toBe(`of snapshots: ${snapshot.SNAPSHOT_VERSION}`);
    expect(row('Catalogue', 'version')).toBe(`of the catalogue: ${snapshot.CATALOGUE_VERSION}`);
    expect(row('Chunk entry', 'length')).toContain(`a multiple of ${snapshot.CHUNK_ALIGNMENT}`);
    expect(row('Rows header', 'rows')).toContain(snapshot.CHUNK_ROWS.toLocaleString('en-US'));
    const columns = page.slice(
      page.search(/^### Column$/m),
      page.search(/^### Index columns header$/m),
    );
    let at = 0;
    for (const name of [...snapshot.COLUMNS, ...snapshot.KEY_COLUMNS]) {
      const next = columns.indexOf(`\`${name}\``, at);
      expect([name, next > at]).toEqual([name, true]);
      at = next;
    }
    expect(columns).toContain(`A width of ${snapshot.RAW_WIDTH} is f64`);
    expect(page).toContain(`would end behind byte ${ARENA_BYTES.toLocaleString('en-US')}`);
  });

  it('record kinds and optional fields', () => {
    const kinds = recordShapes().map(({ name, kind }) => [name, kind]);
    expect(Object.fromEntries(kinds)).toEqual(RECORD_KIND);
    const bits = optionalFields().map(({ name, bit }) => [name, bit]);
    expect(Object.fromEntries(bits)).toEqual(FIELD);
    expect(optionalFields().reduce((sum, { bit }) => sum | bit, 0)).toBe(KNOWN_FIELDS);
  });

  it('first bytes of values', () => {
    const {
      RECORD,
      MAX_DEPTH: _,
      MAX_VALUE_BYTES: __,
      FIXMAP,
      FIXARRAY,
      FIXSTR,
      ...single
    } = value;
    const expected = new Set<number>(Object.values(single));
    for (let byte = 0; byte < 256; byte++) {
      const isShortForm = byte < value.NIL && byte >= FIXMAP;
      if (byte < FIXMAP || byte >= 0xe0 || isShortForm) expected.add(byte);
    }
    expect([FIXMAP, FIXARRAY, FIXSTR, RECORD]).toEqual([0x80, 0x90, 0xa0, 0xc1]);
    expect([...leadBytes()].sort((a, b) => a - b)).toEqual([...expected].sort((a, b) => a - b));
  });

  it('limits', () => {
    const { LIMITS, SEGMENT_BYTES } = wal;
    expect([...limits().values()]).toEqual([
      LIMITS.recordBytes,
      LIMITS.frameBytes,
      LIMITS.frameRecords,
      LIMITS.commitBytes,
      LIMITS.commitRecords,
      SEGMENT_BYTES.min,
      SEGMENT_BYTES.first,
      SEGMENT_BYTES.max,
      SEGMENT_BYTES.step,
      value.MAX_DEPTH,
      MAX_ID_BYTES,
    ]);
    expect(value.MAX_VALUE_BYTES).toBe(LIMITS.recordBytes);
  });
});

describe('records', () => {
  const TIME = 1_800_000_000_123;
  const body = new ByteWriter(16);
  writeValue(body, { a: 1 }, 'body');
  const bytes = body.bytes.subarray(0, body.position);
  const entry = {
    vector: Float32Array.of(1, -0.5),
    scope: 'user:a',
    eventTime: 5,
    expiresAt: 6,
    metadata: bytes,
  };
  // As the page has it: parts, two times, scope, metadata, floats.
  const entryBytes = Buffer.concat([
    Buffer.of(15),
    Buffer.from(Float64Array.of(5, 6).buffer),
    Buffer.of(6),
    Buffer.from('user:a'),
    Buffer.of(bytes.length),
    bytes,
    Buffer.from('0000803f000000bf', 'hex'),
  ]);

  const write: Record<string, (w: ByteWriter, t: number | undefined, n: Annotations) => void> = {
    define: (w, t, n) => encode.encodeDefine(w, t, 3, 'm', 4, bytes, n),
    indexes: (w, t, n) => encode.encodeIndexes(w, t, 'm', bytes, n),
    hide: (w, t, n) => encode.encodeHide(w, t, 300, n),
    create: (w, t, n) => encode.encodeCreate(w, t, 70_000, 3, 'ïd', n, body),
    apply: (w, t, n) => encode.encodeApply(w, t, 70_000, 5, n, body),
    delete: (w, t, n) => encode.encodeDelete(w, t, 70_000, n),
    purge: (w, t) => encode.encodePurge(w, t, 2 ** 40, 9),
    outcome: (w, t, n) => encode.encodeOutcome(w, t, n, body),
    migrate: (w, t, n) => encode.encodeMigrate(w, t, 70_000, 3, 200, n, body),
    collection: (w, t, n) => vectors.encodeCollection(w, t, 300, 'ç', n, body),
    dropCollection: (w, t, n) => vectors.encodeDropCollection(w, t, 300, n),
    vector: (w, t, n) => vectors.encodeVector(w, t, 300, 70_000, 'ïd', n, entry),
    metadata: (w, t, n) => vectors.encodeMetadata(w, t, 300, 70_000, true, n, bytes),
    deleteVector: (w, t, n) => vectors.encodeDeleteVector(w, t, 300, 70_000, n),
    expireVectors: (w, t) => vectors.encodeExpireVectors(w, t, 300, [1, 70_000]),
  };
  const fixed: Record<string, Record<string, unknown>> = {
    define: { definition: 3, name: 'm', version: 4, body: bytes },
    indexes: { name: 'm', body: bytes },
    hide: { definition: 300 },
    create: { handle: 70_000, definition: 3, id: 'ïd', body: bytes },
    apply: { handle: 70_000, transition: 5, body: bytes },
    delete: { handle: 70_000 },
    purge: { deletedThrough: 2 ** 40, keysThrough: 9 },
    outcome: { body: bytes },
    migrate: { handle: 70_000, definition: 3, state: 200, body: bytes },
    collection: { collection: 300, name: 'ç', body: bytes },
    dropCollection: { collection: 300 },
    vector: { collection: 300, handle: 70_000, id: 'ïd', body: entryBytes },
    metadata: { collection: 300, handle: 70_000, replaces: 1, body: bytes },
    deleteVector: { collection: 300, handle: 70_000 },
    expireVectors: { collection: 300, body: Uint8Array.of(1, 0xf0, 0xa2, 4) },
  };
  /** Nobody's doing: they carry no notes. */
  const PLAIN = new Set(['purge', 'expireVectors']);
  const optional = { at: 5.5, eventId: 'e', key: 'k', actor: 'a', reason: 'r', correlationId: 'c' };

  it.each(Object.keys(RECORD_KIND))(
    'a reader of the page reads %s with every set of fields',
    (kind) => {
      const writer = new ByteWriter(64);
      for (let set = 0; set <= KNOWN_FIELDS; set++) {
        const notes = new Annotations();
        const expected: Record<string, unknown> = { kind, body: new Uint8Array(0), ...fixed[kind] };
        if ((set & FIELD.time) !== 0) expected['time'] = TIME;
        for (const [name, text] of PLAIN.has(kind) ? [] : Object.entries(optional)) {
          if ((set & FIELD[name as keyof typeof FIELD]) === 0) continue;
          Object.assign(notes, { [name]: text });
          expected[name] = text;
          if (name !== 'key') continue;
          notes.fingerprint.set([7, 2 ** 32 - 1]);
          Object.assign(expected, { 'key.1': 7, 'key.2': 2 ** 32 - 1 });
        }
        writer.position = 0;
        write[kind]!(writer, (set & FIELD.time) === 0 ? undefined : TIME, notes);
        const read = new SecondReader(writer.bytes).record(0, writer.position);
        const found = {
          ...Object.fromEntries(read),
          body: Buffer.from(read.get('body') as Uint8Array),
        };
        expect(found).toEqual({ ...expected, body: Buffer.from(expected['body'] as Uint8Array) });
      }
    },
  );

  it('the fingerprint follows from the page', () => {
    for (const one of [
      ['PRESS', null],
      [null, 1, { b: [1, 'x'.repeat(9)], a: {} }],
      'abc',
      2n ** 60n,
    ]) {
      const writer = new ByteWriter(64);
      writeValue(writer, one, 'value');
      const lanes = new Uint32Array(2);
      fingerprint(writer.bytes, 0, writer.position, lanes);
      expect([...lanes]).toEqual(fingerprintByPage(one));
    }
  });
});

/** From the words of the page. */
function fingerprintByPage(one: unknown): [number, number] {
  const finish = (lane: number, word: number): number => {
    let m = (Math.imul(lane, 0x9e3779b1) + word) | 0;
    m = Math.imul(m ^ (m >>> 16), 0x7feb352d);
    m = Math.imul(m ^ (m >>> 15), 0x846ca68b);
    return (m ^ (m >>> 16)) >>> 0;
  };
  const seeds = [0x2545f491, 0x6c62272e] as const;
  if (typeof one === 'object' && one !== null) {
    const isArray = Array.isArray(one);
    const members = isArray ? one : Object.entries(one);
    const n = members.length;
    const lanes = seeds.map((seed, lane) => {
      let sum = finish(seed ^ (isArray ? 0x90 : 0x80), n);
      for (const member of members) {
        if (isArray) sum = finish(sum, fingerprintByPage(member)[lane]!);
        else {
          const [key, item] = member as [string, unknown];
          sum = (sum + finish(fingerprintByPage(key)[lane]!, fingerprintByPage(item)[lane]!)) | 0;
        }
      }
      return finish(sum, n);
    });
    return lanes as [number, number];
  }
  const writer = new ByteWriter(16);
  writeValue(writer, one, 'value');
  const encoded = Buffer.concat([writer.bytes.subarray(0, writer.position), Buffer.alloc(4)]);
  let [a, b] = seeds as readonly [number, number];
  for (let i = 0; i < writer.position; i += 4) {
    const padded = Buffer.from(encoded.subarray(i, i + 4));
    padded.fill(0, Math.max(0, Math.min(4, writer.position - i)));
    const word = padded.readInt32LE();
    a = Math.imul(a ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return [finish(a, writer.position), finish(b, writer.position)];
}

describe('the worked example', () => {
  /** The files the page shows, from their bytes alone. */
  function filesOfPage(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    for (const part of example().split(/^(?=\S+, \d+ bytes$)/m)) {
      const [, name = '', size = ''] = /^(\S+), (\d+) bytes$/m.exec(part) ?? [];
      files.set(name, bytesOfListing(part, Number(size)));
    }
    return files;
  }

  // After a change that was meant, put what this test prints into the page.
  it('is what the second reader finds in a real store', async () => {
    expect(example()).toBe(listing(await makeExample()));
  });

  it('shows every byte of that store that is not zero', async () => {
    const real = await makeExample();
    const shown = filesOfPage();
    expect([...shown.keys()]).toEqual([...real.keys()]);
    for (const [name, bytes] of shown) expect(Buffer.compare(bytes, real.get(name)!)).toBe(0);
  });

  it('is a store: written to a directory, it opens', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pawl-example-'));
    try {
      for (const [name, bytes] of filesOfPage()) await writeFile(join(directory, name), bytes);
      const store = await openStore(directory, { readOnly: true });
      expect(store.recovery).toMatchObject({ recordsReplayed: 4, segments: 1, bytesTruncated: 0 });
      expect(store.instances.get('hall')).toEqual({
        id: 'hall',
        machine: 'lamp',
        version: 1,
        state: 'on',
        context: { watts: 60, by: 'ada' },
        createdAt: 1_800_000_000_000,
        updatedAt: 1_800_000_000_000,
        offset: 4,
        lastEventId: 'e1',
        deleted: false,
      });
      expect(store.instances.get('attic')?.state).toBe('off');
      await store.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
