/**
 * The three orders rows have of themselves: by id, by creation and by last change, ties by id. Built
 * on InstanceStore alone; sorted-rows.ts keeps arrays in such an order.
 */
import { lengthAt, textAt } from '../base/id-slot.ts';
import type { InstanceStore } from '../instance/instance-store.ts';
import { sortByKey } from './merge-sort.ts';

export type RowOrder = 'id' | 'createdAt' | 'updatedAt';

/** Bytes that fit a double exactly. */
const PREFIX_BYTES = 6;

/** What a row is sorted by, before its id. */
function timeOf(instances: InstanceStore, order: RowOrder, handle: number): number {
  if (order === 'id') return 0;
  return order === 'createdAt' ? instances.createdAt(handle) : instances.updatedAt(handle);
}

/** Negative, 0 or positive as row `a` comes before, with or after row `b`. */
export function compareRows(
  instances: InstanceStore,
  order: RowOrder,
  a: number,
  b: number,
): number {
  const difference = timeOf(instances, order, a) - timeOf(instances, order, b);
  if (difference !== 0) return difference;
  return instances.ids.compare(instances.idRefOf(a), instances.idRefOf(b));
}

/** The handles by id; the array may be changed. */
export function sortById(instances: InstanceStore, handles: Uint32Array): Uint32Array {
  const { ids } = instances;
  const keys = prefixes(instances, handles, commonPrefix(instances, handles));
  return sortByKey(keys, handles, (a, b) =>
    ids.compare(instances.idRefOf(a), instances.idRefOf(b)),
  );
}

/** By a time, from handles in id order: a stable sort leaves ties by id. */
export function sortByTime(
  instances: InstanceStore,
  order: RowOrder,
  byId: Uint32Array,
): Uint32Array {
  const keys = new Float64Array(byId.length);
  for (let i = 0; i < byId.length; i++) keys[i] = timeOf(instances, order, byId[i] as number);
  return sortByKey(keys, byId, undefined);
}

/** How many leading bytes all ids share. */
function commonPrefix(instances: InstanceStore, handles: Uint32Array): number {
  const { ids } = instances;
  if (handles.length === 0) return 0;
  ids.locate(instances.idRefOf(handles[0] as number));
  const first = Buffer.from(ids.bytes.subarray(ids.start, ids.end));
  let length = first.length;
  for (let i = 1; i < handles.length && length > 0; i++) {
    ids.locate(instances.idRefOf(handles[i] as number));
    const { bytes, start, end } = ids;
    length = Math.min(length, end - start);
    for (let k = 0; k < length; k++) if (bytes[start + k] !== first[k]) length = k;
  }
  return length;
}

/** The bytes behind the common prefix as a number that sorts as they do; shorter ids before longer ones or with them. */
function prefixes(instances: InstanceStore, handles: Uint32Array, skip: number): Float64Array {
  const { heap } = instances;
  const keys = new Float64Array(handles.length);
  for (let i = 0; i < handles.length; i++) {
    const ref = instances.idRefOf(handles[i] as number);
    const bytes = heap.bytesOf(ref);
    const at = heap.startOf(ref);
    const start = textAt(bytes, at) + skip;
    const length = lengthAt(bytes, at) - skip;
    let key = 0;
    for (let k = 0; k < PREFIX_BYTES; k++)
      key = key * 256 + (k < length ? (bytes[start + k] as number) : 0);
    keys[i] = key;
  }
  return keys;
}
