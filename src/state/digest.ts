/**
 * One SHA-256 over everything a fold produces, so that two ways to the same offset can be compared:
 * live, reopened, read by somebody else. Memory layout, hash keys and packing do not show; handles,
 * times, offsets, contexts, keys and the order of keys and deletions do.
 */
import { createHash, type Hash } from 'node:crypto';
import { ByteWriter } from '../base/bytes.ts';
import { copyFloatsOut } from '../base/float-bytes.ts';
import { ROW_FLAG } from '../instance/row.ts';
import { canonicalText } from '../machine/canonical.ts';
import { unpackToMessagePack } from '../value/pack.ts';
import { MAX_DIMENSIONS } from '../vector/config.ts';
import type { State } from './state.ts';

/** In hex. Reads the whole state: for tests, tools and checks, not for every day. */
export function digestOf(state: State): string {
  const hash = createHash('sha256');
  line(hash, ['offset', state.offset, state.time, state.maxTime]);
  addDefinitions(hash, state);
  addInstances(hash, state);
  addDeleted(hash, state);
  addKeys(hash, state);
  addCollections(hash, state);
  return hash.digest('hex');
}

function addDefinitions(hash: Hash, state: State): void {
  for (const one of state.machines.all()) {
    if (!one.isApplied) continue;
    line(hash, ['definition', one.index, canonicalText(one.body), one.isHidden, one.rows]);
    line(hash, ['indexes', one.machine.name, ...one.machine.indexes]);
    line(hash, ['population', ...one.population]);
  }
}

function addInstances(hash: Hash, state: State): void {
  const { instances, machines } = state;
  const context = new ByteWriter(4096);
  for (let handle = 0; handle < instances.rows.rows; handle++) {
    if (!instances.isLive(handle)) continue;
    const isDeleted = (instances.flags(handle) & ROW_FLAG.deleted) !== 0;
    const definition = machines.at(instances.definition(handle));
    const eventId = instances.contexts.lastEventId(handle) ?? null;
    line(hash, [
      'instance',
      handle,
      instances.generation(handle),
      instances.idText(handle),
      isDeleted,
      eventId,
    ]);
    line(hash, [definition.index, instances.state(handle), instances.offset(handle)]);
    line(hash, [instances.createdAt(handle), instances.updatedAt(handle)]);
    instances.contexts.locate(handle);
    const { bytes, start, end } = instances.contexts;
    context.position = 0;
    unpackToMessagePack(definition.machine.shapes, bytes, start, end, context);
    hash.update(context.bytes.subarray(0, context.position));
  }
}

function addDeleted(hash: Hash, state: State): void {
  const { instances } = state;
  let handle = instances.oldestDeleted;
  for (let i = 0; handle >= 0; i++, handle = instances.deletedAfter(handle)) {
    line(hash, ['deleted', handle, instances.deleted.timeAt(i)]);
  }
}

function addKeys(hash: Hash, state: State): void {
  const body = new ByteWriter(4096);
  for (const { key, result } of state.keys.entries()) {
    const { bytes, bodyStart, bodyEnd, ...facts } = result;
    line(hash, ['key', key, ...Object.values(facts).map((fact) => fact ?? null)]);
    const isPacked = !result.isPlain && bodyEnd > bodyStart;
    body.position = 0;
    if (isPacked)
      unpackToMessagePack(
        state.machines.at(result.definition).machine.shapes,
        bytes,
        bodyStart,
        bodyEnd,
        body,
      );
    else body.raw(bytes, bodyStart, bodyEnd);
    hash.update(body.bytes.subarray(0, body.position));
  }
}

function addCollections(hash: Hash, state: State): void {
  const { collections } = state;
  // A store that never had one has the digest it had before there were any.
  if (collections.created === 0) return;
  line(hash, ['collections', collections.created]);
  const metadata = new ByteWriter(4096);
  const floats = Buffer.alloc(4 * MAX_DIMENSIONS);
  for (const one of collections.all()) {
    const { number, name, given, rows, vectors } = one;
    line(hash, [
      'collection',
      number,
      name,
      Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]);
    for (let handle = 0; handle < rows.rows; handle++) {
      if (!one.isLive(handle)) continue;
      const scope = one.scopes.textOf(one.scope(handle));
      line(hash, ['entry', handle, one.idText(handle), scope, one.offset(handle)]);
      const times = [one.createdAt(handle), one.updatedAt(handle), one.eventTime(handle)];
      line(hash, [...times, one.expiresAt(handle), one.metadataRef(handle) > 0]);
      metadata.position = 0;
      one.metadata.writeTo(one.metadataRef(handle), metadata);
      hash.update(metadata.bytes.subarray(0, metadata.position));
      const start = vectors.startOf(handle);
      const end = start + vectors.dimensions;
      copyFloatsOut(vectors.blockOf(handle), start, end, floats, 0);
      hash.update(floats.subarray(0, 4 * vectors.dimensions));
    }
  }
}

function line(hash: Hash, facts: readonly unknown[]): void {
  hash.update(`${JSON.stringify(facts)}\n`);
}
