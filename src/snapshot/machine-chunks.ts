/**
 * Definitions, and what the versions of a machine share, to and from bytes. A definition is written
 * as in the log and checked as there; its counters go with it. The key lists of a machine's contexts
 * are written whole, so that contexts can be taken over as bytes.
 */
import { ByteReader } from '../base/byte-reader.ts';
import type { ByteWriter } from '../base/bytes.ts';
import type { Definition, MachineGroup, MachineStore } from '../instance/machine-store.ts';
import { decodeDefinition, encodeDefinition } from '../record/definition-codec.ts';

export function writeDefinition(out: ByteWriter, one: Definition): void {
  const body = encodeDefinition(one.body);
  out.varint(body.length);
  out.raw(body);
  out.u8(one.isHidden ? 1 : 0);
  out.varint(one.rows);
  out.varint(one.population.length);
  for (const count of one.population) out.varint(count);
}

export function writeMachine(out: ByteWriter, group: MachineGroup): void {
  out.text(group.name);
  out.varint(group.indexes.length);
  for (const path of group.indexes) out.text(path);
  group.shapes.save(out);
}

/** Definitions up to the end of the chunk. False, or a RangeError, when they make no sense. */
export function readDefinitions(bytes: Uint8Array, count: number, machines: MachineStore): boolean {
  const from = new ByteReader(bytes);
  for (let i = 0; i < count; i++) {
    const body = from.sized();
    const index = machines.nextIndex;
    machines.applyDefine(index, () => decodeDefinition(body));
    const one = machines.at(index);
    const isHidden = from.u8() === 1;
    one.rows = from.varint();
    if (from.varint() !== one.population.length) return false;
    for (let state = 0; state < one.population.length; state++)
      one.population[state] = from.varint();
    if (isHidden) machines.applyHide(index);
  }
  return true;
}

export function readMachines(bytes: Uint8Array, count: number, machines: MachineStore): boolean {
  const from = new ByteReader(bytes);
  for (let i = 0; i < count; i++) {
    const name = from.text();
    const group = machines.group(name);
    if (group === undefined) return false;
    const paths = from.varint();
    const indexes = Array.from({ length: Math.min(paths, bytes.length) }, () => from.text());
    machines.applyIndexes(name, indexes);
    if (!group.shapes.load(from)) return false;
  }
  return true;
}
