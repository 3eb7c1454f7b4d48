/**
 * checkCrashes() itself: it accepts what keeps its promises, catches what does not, names what it
 * caught so that it can be had again, and says what is wrong with workloads and oracles that are.
 */
import { describe, expect, it } from 'vitest';
import { isStoreError } from 'pawl';
import {
  checkCrashes,
  type CrashCheck,
  type CrashViolation,
  type Found,
  type World,
} from 'pawl/testing';
import { DOOR } from '../engine/cases/contract.ts';

/** Creates doors one after the other and tells of each. */
async function honest({ open, tell, told }: World<string>): Promise<void> {
  const store = await open();
  await store.machines.put(DOOR);
  const before = told.length;
  for (let i = before; i < before + 3; i++) {
    const id = `d${i}`;
    await store.instances.create({ machine: 'door', id, idempotencyKey: id });
    tell(id);
  }
}

async function allThere({ open, told }: Found<string>): Promise<void> {
  const store = await open();
  for (const id of told)
    if (store.instances.get(id) === undefined) throw new Error(`${id} is lost`);
}

async function failureOf(check: CrashCheck<string>): Promise<Error & CrashViolation> {
  try {
    await checkCrashes(check);
  } catch (error) {
    return error as Error & CrashViolation;
  }
  throw new Error('accepted');
}

describe('checkCrashes', () => {
  it('accepts a workload that tells only what is safe, and counts what it tried', async () => {
    const report = await checkCrashes({ workload: honest, oracle: allThere, runs: 400, seed: 3 });
    expect(report).toMatchObject({ seed: 3, runs: 400 });
    expect(report.kills + report.cuts).toBe(400);
    expect(report.nested).toBeGreaterThan(0);
    expect(report.workloads).toBeGreaterThan(2);
  });

  it('catches what is told before it is safe, and has it again by its token', async () => {
    const workload = async ({ open, tell }: World<string>): Promise<void> => {
      const store = await open();
      await store.machines.put(DOOR);
      const created = store.instances.create({ machine: 'door', id: 'd' });
      tell('d');
      await created;
    };
    const failure = await failureOf({ workload, oracle: allThere, runs: 500 });
    expect(failure.message).toContain('a crash broke a promise: d is lost');
    expect(failure.message).toContain(`replay: '${failure.token}'`);
    expect(failure).toMatchObject({ told: ['d'], isReproducible: true, life: 0 });
    expect(failure.cause).toEqual(new Error('d is lost'));
    const again = await failureOf({ workload, oracle: allThere, replay: failure.token });
    expect(again.message).toBe(failure.message);
    const honestly = await checkCrashes({
      workload: honest,
      oracle: allThere,
      replay: failure.token.replace(/@.*/, '@kill'),
    });
    expect(honestly.runs).toBe(1);
  });

  it.each([
    ['kill', { durability: 'os' } as const, 'kill', false],
    ['power cut', { durability: 'os' } as const, 'cut', true],
  ])("knows what durability 'os' survives: a %s", async (_, options, kind, isCaught) => {
    const oracle = async (found: Found<string>): Promise<void> => {
      if (found.crash.kind === kind || found.crash.kind === 'none') await allThere(found);
    };
    // One life: a later power cut takes what an earlier life left unsynced.
    const check = { workload: honest, oracle, options, runs: 400, lives: 1 };
    if (isCaught) expect((await failureOf(check)).message).toContain('is lost');
    else expect((await checkCrashes(check)).runs).toBe(400);
  });

  it('goes on after a crash: what only a second life breaks is caught', async () => {
    const workload = async (world: World<string>): Promise<void> => {
      if (world.life === 0) return honest(world);
      const store = await world.open();
      for (const id of world.told) await store.instances.delete(id);
    };
    const oracle = async ({ open, told }: Found<string>): Promise<void> => {
      const store = await open();
      for (const id of told) if (store.instances.get(id) === undefined) throw new Error('gone');
    };
    const failure = await failureOf({ workload, oracle, runs: 3000 });
    expect(failure.life).toBeGreaterThan(0);
    expect(failure.isReproducible).toBe(true);
  });

  it('the same seed checks the same states', async () => {
    const digests = async (seed: number): Promise<string[]> => {
      const seen: string[] = [];
      const oracle = (found: Found<string>): void => void seen.push(found.crash.describe());
      await checkCrashes({ workload: honest, oracle, runs: 150, seed, trustOracle: true });
      return seen;
    };
    const [one, same, other] = [await digests(5), await digests(5), await digests(6)];
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
  });

  it('makes calls of the disk fail while the workload runs, if asked to', async () => {
    let refused = 0;
    const workload = async (world: World<string>): Promise<void> => {
      await honest(world).catch((error: unknown) => {
        if (!isStoreError(error, 'WAL_IO_ERROR')) throw error;
        refused++;
      });
    };
    const faults = [{ call: 'write', path: '.wal', nth: 4, error: 'EIO' }] as const;
    const report = await checkCrashes({ workload, oracle: allThere, faults, runs: 300 });
    expect(report.runs).toBe(300);
    expect(refused).toBeGreaterThan(0);
  });
});

describe('what is wrong with a check is said', () => {
  it('a workload that throws', async () => {
    const cause = new Error('no such customer');
    const workload = async (): Promise<void> => {
      throw cause;
    };
    const failure = await failureOf({ workload, oracle: allThere });
    expect(failure.message).toMatch(/^the workload failed without a crash \(seed 1\): no such/);
    expect(failure.cause).toBe(cause);
  });

  it('a workload that waits for the real world', async () => {
    const workload = async ({ open }: World<string>): Promise<void> => {
      await open();
      await new Promise(() => undefined);
    };
    const failure = await failureOf({ workload, oracle: allThere, idleMs: 50 });
    expect(failure.message).toContain('waits for something that never happens in the simulation');
  });

  it('a workload that never ends', async () => {
    const workload = async ({ open }: World<string>): Promise<void> => {
      const store = await open();
      await store.machines.put(DOOR);
      for (let i = 0; ; i++) await store.instances.create({ machine: 'door', id: `d${i}` });
    };
    const failure = await failureOf({ workload, oracle: allThere, maxCalls: 500 });
    expect(failure.message).toContain('made more than 500 calls of the disk');
  });

  it('a workload that makes no call of the disk', async () => {
    const failure = await failureOf({ workload: async () => undefined, oracle: () => undefined });
    expect(failure.message).toContain('there is nothing to crash');
  });

  it('an oracle that rejects everything', async () => {
    const oracle = (): void => {
      throw new Error('never');
    };
    const failure = await failureOf({ workload: honest, oracle });
    expect(failure.message).toMatch(/although nothing crashed, or .* under way: never/);
  });

  it('an oracle that accepts everything, unless it is trusted', async () => {
    const oracle = (): void => undefined;
    const failure = await failureOf({ workload: honest, oracle });
    expect(failure.message).toContain(
      'accepts an empty store although the world was told 3 things',
    );
    const report = await checkCrashes({ workload: honest, oracle, trustOracle: true, runs: 20 });
    expect(report.runs).toBe(20);
  });

  it('an oracle that answers instead of throwing', async () => {
    const oracle = (async () => false) as unknown as () => Promise<void>;
    expect((await failureOf({ workload: honest, oracle })).message).toContain('returned false');
  });

  it('an oracle that never ends', async () => {
    const oracle = (): Promise<void> => new Promise(() => undefined);
    const failure = await failureOf({ workload: honest, oracle, idleMs: 50 });
    expect(failure.message).toContain('the oracle waits for something');
  });

  it('a workload that is another one each time is told apart from one that fails again', async () => {
    let isFirst = true;
    const workload = async ({ open, tell }: World<string>): Promise<void> => {
      const store = await open();
      await store.machines.put(DOOR);
      const created = store.instances.create({ machine: 'door', id: 'd' });
      if (!isFirst) await created;
      isFirst = false;
      tell('d');
      await created;
    };
    const failure = await failureOf({ workload, oracle: allThere });
    expect(failure.isReproducible).toBe(false);
    expect(failure.message).toContain('depends on something that is not simulated');
  });

  it.each([
    [{ runs: 0 }, 'runs'],
    [{ runs: 1.5 }, 'runs'],
    [{ seed: -1 }, 'seed'],
    [{ seed: Number.NaN }, 'seed'],
    [{ lives: 0 }, 'lives'],
    [{ idleMs: 0 }, 'idleMs'],
    [{ maxCalls: -5 }, 'maxCalls'],
    [{ oracle: undefined as never }, 'oracle'],
    [{ workload: 'work' as never }, 'workload'],
    [{ faults: [{ call: 'write' }] } as const, 'faults[0]'],
    [{ faults: [{ error: 'EIO', nth: 0 }] } as const, 'faults[0].nth'],
    [{ lifes: 2 }, 'lifes'],
    [{ faults: [{ eror: 'EIO', delayMs: 1 }] }, 'faults[0].eror'],
    [{ faults: {} }, 'faults'],
    [{ replay: 5 }, 'replay'],
    [{ options: null }, 'options'],
    [{ replay: '/24@kill' }, 'replay'],
    [{ replay: '' }, 'replay'],
    [{ replay: 'x/1@kill' }, 'replay'],
    [{ replay: '1' }, 'replay'],
    [{ replay: '1/99999@kill' }, 'replay'],
    [{ replay: '1/5@cut:w.w.w.w.w.w.w.w.w.w.w' }, 'choice'],
    [{ replay: '1/5@burn' }, 'replay'],
  ])('options %o are BAD_REQUEST', async (options, path) => {
    const failure: unknown = await failureOf({
      workload: honest,
      oracle: allThere,
      ...(options as Partial<CrashCheck<string>>),
    });
    expect(failure).toMatchObject({ code: 'BAD_REQUEST', details: { path } });
  });
});

it('few runs are spread over the whole workload', async () => {
  const workload = async ({ open, tell }: World<number>): Promise<void> => {
    const store = await open();
    await store.machines.put(DOOR);
    for (let i = 1; i <= 30; i++) {
      await store.instances.create({ machine: 'door', id: `d${i}` });
      tell(i);
    }
  };
  const seen: number[] = [];
  const oracle = ({ told }: Found<number>): void => void seen.push(told.length);
  await checkCrashes({ workload, oracle, runs: 60, lives: 1, trustOracle: true });
  expect(Math.max(...seen.slice(1))).toBeGreaterThan(24);
  expect(new Set(seen).size).toBeGreaterThan(10);
});

it('a power cut in an earlier life counts when a later one ends in a kill', async () => {
  const oracle = async (found: Found<string>): Promise<void> => {
    if (found.crash.kind !== 'cut') await allThere(found);
  };
  const options = { durability: 'os' } as const;
  const report = await checkCrashes({ workload: honest, oracle, options, runs: 1200, lives: 4 });
  expect(report.runs).toBe(1200);
});

it('an application that fails when it is started again is told with the crash before it, and replayed', async () => {
  const workload = async ({ open, tell }: World<string>): Promise<void> => {
    const store = await open();
    await store.machines.put(DOOR);
    // No key: a second start does not know what the first one did.
    await store.instances.create({ machine: 'door', id: 'a' });
    tell('a');
  };
  const failure = await failureOf({ workload, oracle: allThere, runs: 1500 });
  expect(failure.message).toMatch(/^the workload failed on its restart: .*exists/);
  expect(failure.message).toContain('The disk had been asked');
  const again = await failureOf({ workload, oracle: allThere, replay: failure.token });
  expect(again.message).toBe(failure.message);
});

it('a workload that polls for ever is stopped, and what is told is taken as it is then', async () => {
  const polling = async ({ open, sleep }: World<string>): Promise<void> => {
    await open();
    for (;;) await sleep(1000);
  };
  const failure = await failureOf({ workload: polling, oracle: allThere, maxCalls: 500 });
  expect(failure.message).toContain('goes on for ever without calls of the disk');
  const ids: string[] = [];
  const growing = async ({ open, tell, life }: World<string[]>): Promise<void> => {
    const store = await open();
    await store.machines.put(DOOR);
    for (const id of [`a${life}`, `b${life}`]) {
      await store.instances.create({ machine: 'door', id, idempotencyKey: id });
      ids.push(id);
      tell(ids);
    }
    ids.length = 0;
  };
  const oracle = async ({ open, told }: Found<string[]>): Promise<void> => {
    const store = await open();
    for (const id of told.flat()) if (store.instances.get(id) === undefined) throw new Error(id);
  };
  expect((await checkCrashes({ workload: growing, oracle, runs: 200, lives: 1 })).runs).toBe(200);
});

it('timers of the process have their turn while a campaign runs', async () => {
  let ticks = 0;
  const timer = setInterval(() => void ticks++, 5);
  await checkCrashes({ workload: honest, oracle: allThere, runs: 600 });
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(1);
});
