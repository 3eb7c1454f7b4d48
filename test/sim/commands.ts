/**
 * The commands of a simulated run as plain data: the same value is performed on a store
 * (perform.ts) and on the reference model. Also how values and answers are told apart, as text.
 */
export type Fields = Readonly<Record<string, unknown>>;

export interface Guarded {
  readonly from: readonly string[];
  readonly event: string;
  readonly to: string;
  readonly guard?: 'ctx.locked != true' | 'ctx.n >= 3';
}

export interface Definition {
  readonly name: string;
  readonly version: number;
  readonly states: readonly string[];
  readonly initial: string;
  readonly transitions: readonly Guarded[];
  readonly indexes: readonly string[];
}

/** `isBad`: its payload, context or id is none, and is to be refused as malformed. */
interface Keyed {
  readonly key?: string;
  readonly isBad?: boolean;
}
export interface CreateOperation extends Keyed {
  readonly op: 'create';
  readonly machine: string;
  readonly version?: number;
  readonly id?: string;
  readonly context: Fields;
}
export interface ApplyOperation extends Keyed {
  readonly op: 'apply';
  readonly id: string;
  readonly event: string;
  readonly payload: Fields;
  readonly expectedState?: string;
  readonly expectedOffset?: number;
  readonly eventId?: string;
}
export interface DeleteOperation extends Keyed {
  readonly op: 'delete';
  readonly id: string;
}
export type Operation = CreateOperation | ApplyOperation | DeleteOperation;

/** What the map of a migration does, as data. */
export interface MapData {
  /** Where everything goes on; default: where it is. */
  readonly state?: string;
  readonly adds: Fields;
  /** Throws for those with this `n`. */
  readonly refusesN?: number;
}

interface Common {
  /** Of the whole group; a single operation has its own. */
  readonly key?: string;
  /** Wait for the disk at any durability. */
  readonly durable?: boolean;
  /** Time of the fact. */
  readonly at?: number;
}
export type Command =
  | (Common & { readonly kind: 'one'; readonly operation: Operation })
  | (Common & {
      readonly kind: 'batch';
      readonly isBestEffort: boolean;
      readonly operations: readonly Operation[];
    })
  | (Common & {
      readonly kind: 'transaction';
      readonly operations: readonly Operation[];
      /** Refusals inside are caught. */
      readonly isForgiving: boolean;
      /** The callback throws at its end. */
      readonly throws: boolean;
      readonly value: Fields;
    })
  | (Common & { readonly kind: 'put'; readonly definition: Definition })
  | (Common & { readonly kind: 'remove'; readonly name: string; readonly version: number })
  | MigrateCommand;
export interface MigrateCommand extends Common {
  readonly kind: 'migrate';
  readonly machine: string;
  readonly fromVersion: number;
  readonly toVersion: number;
  readonly isDry: boolean;
  readonly map?: MapData;
}

/** What a caller can tell apart: fields of a result, `{ code, ... }`, or a list of those. */
export type Answer = Fields | string | undefined | readonly Answer[];

/** What a callback that throws rejects with. */
export const THROWN = 'thrown';
/** A context of a first result that was not kept. */
export const DROPPED = 'dropped';

/** Equal for equal values: keys in order, bigints and -0 told apart from other numbers. */
export function textOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  const fields = Object.keys(value)
    .sort()
    .filter((name) => (value as Fields)[name] !== undefined)
    .map((name) => `${JSON.stringify(name)}:${textOf((value as Fields)[name])}`);
  return `{${fields.join()}}`;
}

/** Long texts are not for people. */
export function shortened(text: string): string {
  const calm = text.replaceAll(/(.{1,8})\1{8,}/gu, '$1*');
  return calm.length > 1500 ? `${calm.slice(0, 1500)}...` : calm;
}
