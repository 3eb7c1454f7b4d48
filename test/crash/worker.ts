/**
 * A process that works on a store until it is killed: from outside, or by itself at a point of its
 * file calls. It holds what it finds against what it was told to find, says on stdout what it is
 * about to do and what was acknowledged, with blocking writes, so that nothing it learned is lost
 * with it. Argument: a WorkerPlan as JSON.
 */
import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openStore, isStoreError, type Store } from '../../src/index.ts';
import { nodeFileIo } from '../../src/base/node-file-io.ts';
import { type CallKind, CHANGING, hookedIo } from './hooked-io.ts';
import type { WorkerPlan } from './worker-process.ts';
import { checkStore, prepare, work } from './workload.ts';

/** The first caller goes on alone for so long, when the others are through: lone callers write another way. */
const LONE_COMMANDS = 2;

const plan = JSON.parse(process.argv[2] ?? '{}') as WorkerPlan;
const say = (...words: readonly (string | number | boolean)[]): void =>
  void writeSync(1, `${words.join(' ')}\n`);

/** Each call that changes the disk has a point before and one after it, a write one more in its middle. */
let points = 0;
let last: { readonly kind: CallKind; readonly path: string } | undefined;
const counts: Partial<Record<CallKind, number>> = {};

let acknowledged = 0;
/** Files that have the name they are to keep; a handle knows only the one it was opened by. */
const named = new Set<string>();

/** As the file is called by now, numbers left out: 'N.wal', 'N.wal.new', 'snapshot-N.unfinished'. */
function nameOf(path: string): string {
  const name = basename(path).replace(/^(snapshot-)?\d+/, '$1N');
  return named.has(path) ? name.replace(/\.new$/, '') : name;
}

/** Dies if this is the point, or the place, to do it. `writeHalf` is done first. */
function pass(
  how: string,
  kind: CallKind,
  path: string,
  isPoint: boolean,
  writeHalf?: () => void,
): void {
  const place = `${how} ${kind} ${nameOf(path)}`;
  const { killOn } = plan;
  const isPlace = killOn?.place === place && acknowledged >= killOn.afterCommands;
  if (!isPoint && !isPlace) return;
  writeHalf?.();
  say('dies', place);
  process.kill(process.pid, 'SIGKILL');
}

const fileIo = hookedIo(nodeFileIo, {
  before(kind, path, writeHalf) {
    if (!CHANGING.has(kind)) return undefined;
    counts[kind] = (counts[kind] ?? 0) + 1;
    if (kind === 'create') named.delete(path);
    pass('before', kind, path, ++points === plan.killAt);
    if (kind === 'write') pass('half', kind, path, ++points === plan.killAt, writeHalf);
    if (++points === plan.killAt) last = { kind, path };
    return undefined;
  },
  after(kind, path) {
    if (kind === 'rename') named.add(`${path}.new`);
    if (CHANGING.has(kind)) pass('after', kind, path, last?.kind === kind && last.path === path);
  },
});

async function untilReserve(store: Store): Promise<void> {
  const isThere = (): boolean =>
    (store.stats()['log'] as { reserveBytes: number }).reserveBytes > 0;
  for (let n = 0; n < 200 && !isThere(); n++) await setTimeout(5);
}

async function session(commands: number): Promise<void> {
  const store = await openStore(plan.directory, {
    fileIo,
    segmentBytes: plan.segmentBytes,
    durability: plan.durability,
    snapshotInterval: plan.snapshotInterval ?? 0,
  });
  say('opened', store.offset);
  if (plan.expected !== undefined) {
    const found = await checkStore(store, plan.expected).catch((error: unknown) => {
      say('wrong', JSON.stringify(String(error)));
      process.exit(1);
    });
    say('found', ...found);
  }
  if (commands > 0) await prepare(store, (records) => say('made', records));
  if (commands > 0) say('prepared');
  if (plan.waitsForReserve === true) await untilReserve(store);
  process.stdin.once('data', () => void store.close().then(() => say('closed')));
  process.stdin.unref();
  const until = (first: number, caller: number): number =>
    commands === 0 ? first : first + commands + (caller === 0 ? LONE_COMMANDS : 0);
  await Promise.all(
    plan.from.map((first, caller) =>
      work(store, caller, first, until(first, caller), {
        sent: (by, serial) => say('sent', by, serial),
        done(by, serial, offset, applied) {
          acknowledged++;
          say('done', by, serial, offset, applied);
        },
      }),
    ),
  );
  await store.close();
  say('calls', JSON.stringify(counts));
  say('closed');
}

try {
  await session(plan.commands);
} catch (error) {
  if (!isStoreError(error)) throw error;
  say('failed', error.code, JSON.stringify(error.details));
}
