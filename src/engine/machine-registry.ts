/**
 * Definitions in and out: put, remove, get, list. A version never changes; putting the same content
 * again is harmless, and may change the machine's indexes.
 */
import { createHash } from 'node:crypto';
import { badRequest, StoreError } from '../base/errors.ts';
import type { InstanceStore } from '../instance/instance-store.ts';
import type { Definition, MachineGroup } from '../instance/machine-store.ts';
import { ROW_FLAG } from '../instance/row.ts';
import { canonicalText } from '../machine/canonical.ts';
import type { Data, MachineDefinition, NormalisedDefinition } from '../machine/definition.ts';
import { validateDefinition } from '../machine/validate-definition.ts';
import { parsePath } from '../query/paths.ts';
import { encodeDefinition } from '../record/definition-codec.ts';
import { encodeDefine, encodeHide, encodeIndexes } from '../record/encode.ts';
import type { WriteOptions } from './api/instance.ts';
import type { MachineReads, PutResult } from './api/machine.ts';
import { Call, PUT_OPTIONS } from './call.ts';
import { unknownMachine } from './decide/refusals.ts';
import { OneTicket } from './decide/tickets.ts';
import type { Pipeline } from './pipeline.ts';
import type { Reads } from './reads.ts';
import { asRefusal, checkName, withSignal } from './write-options.ts';

export interface PutOptions extends WriteOptions {
  expectedChecksum?: string | undefined;
}

export class MachineRegistry {
  private readonly pipeline: Pipeline;
  private readonly maxVersions: number;
  private readonly call: Call;

  constructor(pipeline: Pipeline, maxVersions: number) {
    this.pipeline = pipeline;
    this.maxVersions = maxVersions;
    this.call = new Call(pipeline.notes);
  }

  put(input: MachineDefinition | Data, options: PutOptions | undefined): Promise<PutResult> {
    const { pipeline, call } = this;
    try {
      pipeline.records.admit();
      pipeline.records.readClock();
      const { body, checksum } = this.prepare(input, options);
      pipeline.notes.key = undefined;
      return withSignal(this.decidePut(body, checksum, call.mustSync), call.signal);
    } catch (error) {
      return pipeline.answers.refuse(error, true);
    }
  }

  /** @throws {StoreError} BAD_REQUEST, TIMEOUT */
  private prepare(
    input: unknown,
    options: PutOptions | undefined,
  ): { readonly body: NormalisedDefinition; readonly checksum: string } {
    const { records } = this.pipeline;
    records.startReading();
    try {
      const body = validateDefinition(input);
      // Not where definitions are read back: what was accepted once must stay readable.
      body.indexes?.forEach((path, i) => parsePath(path, `indexes[${i}]`));
      const checksum = checksumOf(body);
      this.call.read(options, PUT_OPTIONS);
      const expected = options?.expectedChecksum;
      if (expected !== undefined && expected !== checksum) {
        throw badRequest(
          `the definition has checksum ${checksum}, not ${expected}`,
          'options.expectedChecksum',
          checksum,
        );
      }
      return { body, checksum };
    } catch (error) {
      throw asRefusal(error, 'options');
    } finally {
      records.endReading();
    }
  }

  private decidePut(
    body: NormalisedDefinition,
    checksum: string,
    mustSync: boolean,
  ): Promise<PutResult> {
    const { machines } = this.pipeline.state;
    const existing = machines.find(body.name, body.version);
    const result = { name: body.name, version: body.version, checksum };
    if (existing !== undefined && canonicalText(existing.body) !== canonicalText(body)) {
      throw new StoreError(
        'MACHINE_VERSION_EXISTS',
        `machine ${JSON.stringify(body.name)} version ${body.version} is registered with other content; give the changed definition a new version`,
        {
          details: {
            machine: body.name,
            version: body.version,
            checksum: checksumOf(existing.body),
          },
        },
      );
    }
    if (existing === undefined || !existing.isOffered)
      this.checkVersionCap(machines.group(body.name), body);
    const isNew = existing === undefined;
    const mustShow = isNew || !existing.isOffered;
    const group = machines.group(body.name);
    const changesIndexes =
      group !== undefined && !sameList(group.pendingIndexes, body.indexes ?? []);
    if (!mustShow && !changesIndexes) {
      const { pipeline } = this;
      return pipeline.answers.give(pipeline.answers.pendingOffset, mustSync, () => ({
        ...result,
        created: false,
      }));
    }
    return this.log(
      body,
      existing,
      mustShow,
      changesIndexes,
      { ...result, created: isNew },
      mustSync,
    );
  }

  private checkVersionCap(group: MachineGroup | undefined, body: NormalisedDefinition): void {
    if (group === undefined || group.offered(false).length < this.maxVersions) return;
    throw new StoreError(
      'MACHINE_VERSION_LIMIT_EXCEEDED',
      `machine ${JSON.stringify(body.name)} has ${this.maxVersions} versions, the limit`,
      {
        details: { machine: body.name, limit: this.maxVersions },
      },
    );
  }

  private log(
    body: NormalisedDefinition,
    existing: Definition | undefined,
    mustShow: boolean,
    changesIndexes: boolean,
    result: PutResult,
    mustSync: boolean,
  ): Promise<PutResult> {
    const { pipeline } = this;
    const { machines } = pipeline.state;
    const ticket = new OneTicket<PutResult>(pipeline, { make: () => result }, mustSync);
    pipeline.records.openGroup();
    try {
      if (mustShow) {
        const writer = pipeline.records.open();
        const index = existing?.index ?? machines.nextIndex;
        encodeDefine(
          writer,
          pipeline.records.time,
          index,
          body.name,
          body.version,
          encodeDefinition(body),
          pipeline.notes,
        );
        pipeline.records.close(undefined, false);
      }
      if (changesIndexes) {
        const writer = pipeline.records.open();
        encodeIndexes(
          writer,
          pipeline.records.time,
          body.name,
          encodeDefinition([...(body.indexes ?? [])]),
          pipeline.notes,
        );
        pipeline.records.close(undefined, false);
      }
    } catch (error) {
      pipeline.records.abortGroup();
      throw error;
    }
    pipeline.records.commitGroup(ticket, mustSync);
    const definition = existing ?? machines.addWaiting(body, pipeline.answers.pendingOffset);
    definition.willBeHidden = false;
    definition.machine.pendingIndexes = body.indexes ?? [];
    return ticket.promise;
  }

  remove(name: string, version: number): Promise<void> {
    const { pipeline } = this;
    try {
      this.call.clear();
      pipeline.records.admit();
      pipeline.records.readClock();
      checkName(name, 'name');
      const definition = pipeline.state.machines.find(name, version);
      if (definition === undefined || !definition.isOffered) throw unknownMachine(name, version);
      const count = this.livingOf(definition);
      if (count > 0) {
        throw new StoreError(
          'CONFLICT',
          `machine ${JSON.stringify(name)} version ${version} has ${count} living instances`,
          { details: { reason: 'in-use', count } },
        );
      }
      const ticket = new OneTicket<void>(pipeline, { make: () => undefined }, false);
      encodeHide(pipeline.records.open(), pipeline.records.time, definition.index, pipeline.notes);
      pipeline.records.close(ticket, false);
      definition.willBeHidden = true;
      return ticket.promise;
    } catch (error) {
      return pipeline.answers.refuse(error, true);
    }
  }

  /** Instances that are not deleted, those that wait for the disk counted as they will be. */
  private livingOf(definition: Definition): number {
    let count = definition.living;
    const { instances } = this.pipeline.state;
    for (const pending of this.pipeline.overlay.all()) {
      const isCounted = !pending.isNew && isLivingRow(instances, pending.handle, definition);
      const isOfIt = pending.definition === definition && !pending.isDeleted;
      count += Number(isOfIt) - Number(isCounted);
    }
    return count;
  }
}

function isLivingRow(instances: InstanceStore, handle: number, definition: Definition): boolean {
  const isDeleted = (instances.flags(handle) & ROW_FLAG.deleted) !== 0;
  return !isDeleted && instances.definition(handle) === definition.index;
}

/** SHA-256 of the normalised content without `indexes`, in hex. */
export function checksumOf(body: NormalisedDefinition): string {
  return createHash('sha256').update(canonicalText(body)).digest('hex');
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

/** What readers see of the registry. */
export function machineReads(reads: Reads): MachineReads {
  const offered = (name: string): readonly Definition[] => {
    reads.admit();
    return reads.state.machines.group(checkName(name, 'name'))?.offered(true) ?? [];
  };
  const versions = (name: string): number[] => offered(name).map((one) => one.version);
  return {
    versions,
    get: (name: string, version?: number): Readonly<MachineDefinition> | undefined => {
      const all = offered(name);
      const found = version === undefined ? all.at(-1) : all.find((one) => one.version === version);
      return found === undefined ? undefined : definitionOf(found);
    },
    list: (): { readonly name: string; readonly versions: readonly number[] }[] => {
      reads.admit();
      return reads.state.machines
        .visible()
        .map((group) => ({ name: group.name, versions: versions(group.name) }));
    },
  };
}

/** The normalised definition with the machine's present indexes. */
export function definitionOf(definition: Definition): Readonly<MachineDefinition> {
  const { indexes: _, meta, ...body } = definition.body;
  const { indexes } = definition.machine;
  return Object.freeze({
    ...body,
    ...(indexes.length === 0 ? {} : { indexes: Object.freeze([...indexes]) }),
    ...(meta === undefined ? {} : { meta }),
  });
}
