/** The replay: order within a case, cases side by side, keys that are the same every time. */
import type { Created, Instances, Transition } from 'pawl';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../../docs/examples/traffic-fines/log-file.ts';
import { replay, writesOf } from '../../../docs/examples/traffic-fines/replay.ts';

type Call = readonly [id: string, event: string, key: string | undefined, at: number | undefined];

/** Answers each call a turn later and remembers it; what it has seen before is not applied again. */
class RecordingInstances {
  readonly calls: Call[] = [];
  mostAtOnce = 0;
  readonly #seen = new Set<string>();
  #underWay = new Set<string>();

  readonly create: Instances['create'] = async ({ id = '', idempotencyKey, at }) => {
    return { applied: await this.#answer([id, 'create', idempotencyKey, at]) } as Created;
  };

  readonly apply: Instances['apply'] = async (id, event, _payload, options) => {
    const call: Call = [id, event, options?.idempotencyKey, options?.at];
    return { applied: await this.#answer(call) } as Transition;
  };

  async #answer(call: Call): Promise<boolean> {
    const [id] = call;
    if (this.#underWay.has(id)) throw new Error(`two writes of ${id} at the same time`);
    this.#underWay.add(id);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay.size);
    this.calls.push(call);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    this.#underWay.delete(id);
    const known = JSON.stringify(call);
    const isNew = !this.#seen.has(known);
    this.#seen.add(known);
    return isNew;
  }
}

const CASES: Case[] = Array.from({ length: 7 }, (_, index) => ({
  id: `A${index}`,
  // One number twice: the source's numbering is not trusted to be unique.
  events: Array.from({ length: index + 1 }, (__, at) => ({
    activity: `step ${at}`,
    at: 100 - at,
    seq: 0,
    attrs: {},
  })),
}));

async function run(instances: RecordingInstances, concurrency: number): Promise<boolean[]> {
  const answers: boolean[] = [];
  await replay(instances, {
    machine: 'm',
    cases: CASES,
    concurrency,
    onWrite: (_, applied) => answers.push(applied),
  });
  return answers;
}

describe('replaying a log', () => {
  it('opens each case and sends its events in order, with their times', async () => {
    const instances = new RecordingInstances();
    await run(instances, 3);
    for (const { id, events } of CASES) {
      const own = instances.calls.filter(([callId]) => callId === id);
      expect(own.map(([, event, , at]) => [event, at])).toEqual([
        ['create', 100],
        ...events.map(({ activity, at }) => [activity, at]),
      ]);
    }
  });

  it.each([1, 3, 7, 400])('keeps at most %i cases under way', async (concurrency) => {
    const instances = new RecordingInstances();
    await run(instances, concurrency);
    expect(instances.mostAtOnce).toBe(Math.min(concurrency, CASES.length));
  });

  it('gives every write of a case a key of its own, the same in every replay', async () => {
    const instances = new RecordingInstances();
    const total = CASES.reduce((sum, item) => sum + writesOf(item), 0);
    expect(await run(instances, 3)).toEqual(Array.from({ length: total }, () => true));
    expect(new Set(instances.calls.map(([id, , key]) => `${id} ${key}`)).size).toBe(total);
    expect(await run(instances, 5)).toEqual(Array.from({ length: total }, () => false));
  });

  it('fails when a write fails', async () => {
    const instances = new RecordingInstances();
    const refusing = { create: instances.create, apply: () => Promise.reject(new Error('no')) };
    const attempt = replay(refusing, {
      machine: 'm',
      cases: CASES,
      concurrency: 2,
      onWrite: () => undefined,
    });
    await expect(attempt).rejects.toThrow('no');
  });
});
