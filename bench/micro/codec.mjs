/**
 * What one value costs: writing, packing, merging and reading the orders context, beside msgpackr.
 * Run `npm run build`, then `node bench/micro/codec.mjs [directory of the build]`. Every figure is the
 * median of alternating rounds over 4,096 different contexts, in nanoseconds per call.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Packr } from 'msgpackr';

const built = pathToFileURL(`${resolve(process.argv[2] ?? 'dist')}/`);
const load = (file) => import(new URL(file, built));
const { ByteWriter } = await load('src/base/bytes.js');
const { writeContext, writeValue } = await load('src/value/write-value.js');
const { readValue } = await load('src/value/read-value.js');
const { ShapeTable } = await load('src/value/shape-table.js');
const { packValue, unpackToMessagePack } = await load('src/value/pack.js');
const { mergeInPlace, mergePacked } = await load('src/value/merge.js');
const { readPacked, readPackedPath } = await load('src/value/read-packed.js');
const { fingerprint } = await load('src/value/fingerprint.js');

const COUNT = 4096;
const ROUNDS = 15;
const CURRENCIES = ['EUR', 'USD', 'CHF', 'GBP'];
const NOTES = ['gift wrap, ring twice', 'leave at the door', 'none', 'call before delivery'];

const orders = Array.from({ length: COUNT }, (_, i) => ({
  customer: `cust-${String((i * 7919) % 1_000_000).padStart(6, '0')}`,
  total: 12.34 + i * 0.37,
  currency: CURRENCIES[i % 4],
  items: [
    { sku: `SKU-${10 + (i % 90)}`, qty: 1 + (i % 5) },
    { sku: `SKU-${10 + ((i * 3) % 90)}`, qty: 2 },
  ],
  attempts: i % 8,
  note: NOTES[(i >> 2) % 4],
}));

/** One buffer with all of them, as a slab of the store has, and where each starts. */
function laidOut(write) {
  const out = new ByteWriter(1 << 20);
  const starts = new Int32Array(COUNT + 1);
  for (let i = 0; i < COUNT; i++) {
    write(orders[i], out);
    starts[i + 1] = out.position;
  }
  return { bytes: out.bytes, starts };
}

const shapes = new ShapeTable();
const scratch = new ByteWriter(1 << 16);
const plain = laidOut((order, out) => writeValue(out, order, 'context'));
const packed = laidOut((order, out) => {
  scratch.position = 0;
  writeValue(scratch, order, 'context');
  packValue(shapes, scratch.bytes, 0, scratch.position, out);
});
const encoded = (value) => {
  const out = new ByteWriter(64);
  writeValue(out, value, 'payload');
  return { bytes: out.bytes, end: out.position };
};
const small = Array.from({ length: 8 }, (_, attempts) => encoded({ attempts }));
const grow = encoded({ attempts: 300 });
const two = Array.from({ length: 8 }, (_, attempts) =>
  encoded({ currency: CURRENCIES[attempts % 4], attempts }),
);
const fresh = encoded({ carrier: 'DHL' });

const inline = new Packr({ useRecords: false });
const shared = new Packr({ structures: [] });
const sharedBytes = orders.map((order) => Buffer.from(shared.pack(order)));
const inlineBytes = orders.map((order) => Buffer.from(inline.pack(order)));
const ATTEMPTS = ['attempts'];
const lanes = new Uint32Array(2);
let sink = 0;

/** What a store on msgpackr would need besides: the same refusals, without the encoding. */
function validate(value, depth) {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null)
    return value === null || typeof value === 'boolean';
  if (depth === 100) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!validate(value[i], depth + 1)) return false;
    return true;
  }
  if (
    Object.getPrototypeOf(value) !== Object.prototype ||
    Object.getOwnPropertySymbols(value).length > 0
  )
    return false;
  for (const key of Object.keys(value))
    if (!key.isWellFormed() || !validate(value[key], depth + 1)) return false;
  return true;
}

const cases = {
  writeContext: (i) => {
    scratch.position = 0;
    writeContext(scratch, orders[i], 'context');
  },
  'validate + msgpackr pack': (i) => {
    if (validate(orders[i], 0)) sink += inline.pack(orders[i]).length;
  },
  'msgpackr pack, shared structures': (i) => {
    sink += shared.pack(orders[i]).length;
  },
  readPacked: (i) => {
    sink += readPacked(shapes, packed.bytes, packed.starts[i], packed.starts[i + 1]).attempts;
  },
  'readPackedPath attempts': (i) => {
    sink += readPackedPath(shapes, packed.bytes, packed.starts[i], ATTEMPTS);
  },
  'msgpackr unpack, shared structures': (i) => {
    sink += shared.unpack(sharedBytes[i]).attempts;
  },
  readValue: (i) => {
    sink += readValue(plain.bytes, plain.starts[i], plain.starts[i + 1]).attempts;
  },
  'readValue with a cache of texts': (i) => {
    sink += readValue(plain.bytes, plain.starts[i], plain.starts[i + 1], shapes.texts).attempts;
  },
  'msgpackr unpack, plain': (i) => {
    sink += inline.unpack(inlineBytes[i]).attempts;
  },
  packValue: (i) => {
    scratch.position = 0;
    packValue(shapes, plain.bytes, plain.starts[i], plain.starts[i + 1], scratch);
  },
  unpackToMessagePack: (i) => {
    scratch.position = 0;
    unpackToMessagePack(shapes, packed.bytes, packed.starts[i], packed.starts[i + 1], scratch);
  },
  'mergeInPlace {attempts: 7}': (i) => {
    const payload = small[i & 7];
    sink += mergeInPlace(
      shapes,
      packed.bytes,
      packed.starts[i],
      packed.starts[i + 1],
      payload.bytes,
      0,
      payload.end,
    )
      ? 1
      : 0;
  },
  'mergeInPlace {currency, attempts}': (i) => {
    const payload = two[i & 7];
    sink += mergeInPlace(
      shapes,
      packed.bytes,
      packed.starts[i],
      packed.starts[i + 1],
      payload.bytes,
      0,
      payload.end,
    )
      ? 1
      : 0;
  },
  'mergePacked {attempts: 300}': (i) => {
    scratch.position = 0;
    mergePacked(
      shapes,
      packed.bytes,
      packed.starts[i],
      packed.starts[i + 1],
      grow.bytes,
      0,
      grow.end,
      scratch,
    );
  },
  'mergePacked {carrier: new}': (i) => {
    scratch.position = 0;
    mergePacked(
      shapes,
      packed.bytes,
      packed.starts[i],
      packed.starts[i + 1],
      fresh.bytes,
      0,
      fresh.end,
      scratch,
    );
  },
  'fingerprint of the context': (i) => {
    fingerprint(plain.bytes, plain.starts[i], plain.starts[i + 1], lanes);
  },
};

const times = new Map(Object.keys(cases).map((name) => [name, []]));
for (let round = -3; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const start = performance.now();
    for (let pass = 0; pass < 4; pass++) for (let i = 0; i < COUNT; i++) run(i);
    const ns = ((performance.now() - start) * 1e6) / (4 * COUNT);
    if (round >= 0) times.get(name).push(ns);
  }
}
for (const [name, list] of times) {
  const sorted = list.toSorted((a, b) => a - b);
  console.log(
    `${name.padEnd(40)} ${sorted[ROUNDS >> 1].toFixed(0).padStart(6)} ns   (best ${sorted[0].toFixed(0)})`,
  );
}
const bytes = (list) => (list.reduce((sum, item) => sum + item.length, 0) / COUNT).toFixed(1);
console.log(
  `bytes: packed ${packed.starts[COUNT] / COUNT}, plain ${plain.starts[COUNT] / COUNT}, msgpackr shared ${bytes(sharedBytes)}, plain ${bytes(inlineBytes)}`,
);
if (sink === 0) throw new Error('nothing ran');
