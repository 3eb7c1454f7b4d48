/**
 * What a store holds, as the reference model keeps it: plain maps, copied whole for every commit,
 * so that each offset has a state of its own to compare with. No code of the engine.
 */
import { type Answer, type Command, type Definition, type Fields, textOf } from './commands.ts';

export interface Row {
  readonly id: string;
  readonly machine: string;
  readonly version: number;
  readonly state: string;
  readonly context: Fields;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly offset: number;
  readonly lastEventId?: string | undefined;
  readonly deleted: boolean;
}

export interface Registered {
  readonly definition: Definition;
  /** What makes two definitions of a version the same. */
  readonly text: string;
  readonly isHidden: boolean;
}

export interface Machine {
  readonly versions: ReadonlyMap<number, Registered>;
  readonly indexes: readonly string[];
}

/** The first result of an idempotency key. */
export interface Remembered {
  readonly fingerprint: string;
  readonly answer: Answer;
  /** Sent again, it has that answer. */
  readonly by: Command;
  readonly offset: number;
  /** Of the commit, or of a later one before it. */
  readonly time: number;
}

export interface Deletion {
  readonly id: string;
  readonly offset: number;
  /** Of the commit, or of a later one before it. */
  readonly time: number;
}

/** Purged by a record that readers may not see yet. */
export interface Gone {
  readonly row: Row;
  readonly purgedBy: number;
}

export class ModelState {
  offset = 0;
  readonly machines: Map<string, Machine>;
  readonly instances: Map<string, Row>;
  readonly keys: Map<string, Remembered>;
  /** Of the last commit by the clock, and the latest of all. */
  time = Number.NEGATIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  deletions: readonly Deletion[] = [];
  readonly gone: Map<string, Gone>;
  /** The last purge that took keys. */
  keysPurgedBy = 0;
  private cachedText: string | undefined;

  constructor(before?: ModelState) {
    this.machines = new Map(before?.machines);
    this.instances = new Map(before?.instances);
    this.keys = new Map(before?.keys);
    this.gone = new Map(before?.gone);
    if (before === undefined) return;
    this.offset = before.offset;
    this.time = before.time;
    this.maxTime = before.maxTime;
    this.deletions = before.deletions;
    this.keysPurgedBy = before.keysPurgedBy;
  }

  /** A commit was made at this time. */
  committed(now: number): void {
    this.time = now;
    this.maxTime = Math.max(this.maxTime, now);
  }

  living(name: string, version: number): number {
    let count = 0;
    for (const row of this.instances.values())
      if (!row.deleted && row.machine === name && row.version === version) count++;
    return count;
  }

  /** Registered and not removed, lowest first. */
  offered(name: string): Registered[] {
    const all = [...(this.machines.get(name)?.versions.values() ?? [])];
    return all
      .filter((one) => !one.isHidden)
      .toSorted((a, b) => a.definition.version - b.definition.version);
  }

  /** Everything readers can tell, as view.ts gives it. */
  get text(): string {
    this.cachedText ??= this.textWith(() => true);
    return this.cachedText;
  }

  /** The same with some of the instances only. */
  textWith(isShown: (row: Row) => boolean): string {
    const rows = [...this.instances.values()].filter(isShown).map((row) => textOf(row));
    const head = [`offset ${this.offset}`, ...this.machineLines(), ...rows.sort()];
    return [...head, `keys ${this.keys.size}`].join('\n');
  }

  private machineLines(): string[] {
    const lines: string[] = [];
    for (const [name, { indexes }] of this.machines) {
      for (const { definition } of this.offered(name))
        lines.push(`machine ${textOf({ ...definition, indexes })}`);
    }
    return lines.sort();
  }
}
