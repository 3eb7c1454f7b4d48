/**
 * What goes wrong with the calls of a life: one fails, fails half way, or says so and lies; one is
 * slow; the disk is full for a while. Drawn from the choices, so that it can be had again.
 */
import { FaultPlan, type Call, type FaultRule } from '../../src/testing/sim-faults.ts';
import type { Simulation } from '../../src/testing/simulation.ts';
import { type Choices, pick } from './choices.ts';

const CALLS: readonly Call[] = [
  'write',
  'sync',
  'write',
  'sync',
  'write',
  'create',
  'syncdir',
  'rename',
  'open',
  'close',
  'remove',
  'list',
  'stat',
  'read',
];
const CODES = ['EIO', 'ENOSPC', 'EMFILE', 'EINTR', 'EAGAIN'] as const;

export class Misfortune {
  /** Faults that met a call. */
  faults = 0;
  private readonly simulation: Simulation;
  private readonly choose: Choices;
  private readonly isOn: boolean;
  private plan: FaultPlan | undefined;

  constructor(simulation: Simulation, choose: Choices, isOn: boolean) {
    this.simulation = simulation;
    this.choose = choose;
    this.isOn = isOn;
  }

  /** Now and then begins something, or ends it. */
  maybe(): void {
    if (!this.isOn) return;
    const { choose } = this;
    const { disk } = this.simulation;
    const what = choose(8);
    // One that has come to pass makes room for the next.
    if (what === 0 || this.hasMet) this.end();
    else if (what === 1) disk.capacityBytes = disk.image.sizeBytes + choose(6000);
    else if (what < 6 && this.plan === undefined) this.begin();
  }

  private get hasMet(): boolean {
    return this.plan?.met.some((count) => count > 0) ?? false;
  }

  private begin(): void {
    const { choose } = this;
    const plan = new FaultPlan([this.rule()], choose(2 ** 31));
    this.plan = plan;
    // Most calls are about the next segment and the manifest; those that carry records count more.
    const isOfFrames = choose(2) === 1;
    this.simulation.disk.fault = (call, path) =>
      isOfFrames && !path.endsWith('.wal') ? undefined : plan.decide(call, path);
  }

  private rule(): FaultRule {
    const { choose } = this;
    const call = pick(choose, CALLS);
    const nth = 1 + choose(3);
    const kind = choose(7);
    if (kind === 0) return { call: ['write', 'sync'], delayMs: 1000, times: 3, nth };
    if (kind === 1) return { call: ['read', 'write'], bytes: 1 + choose(700), nth };
    const error = pick(choose, CODES);
    if (kind === 2) return { call: 'write', error, bytes: choose(5000), nth };
    if (kind === 3) return { call, error, tookEffect: true, nth };
    return { call, error, nth, times: kind === 4 ? 50 : 1 };
  }

  end(): void {
    const { disk } = this.simulation;
    disk.fault = undefined;
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    for (const met of this.plan?.met ?? []) this.faults += met;
    this.plan = undefined;
  }

  /** Opening may fail as long as calls do, and must not when they do not. */
  async survive(open: () => Promise<void>): Promise<void> {
    const { disk } = this.simulation;
    disk.nextProcess();
    if (!this.isOn) return open();
    const hadTrouble = disk.fault !== undefined || disk.capacityBytes < Number.POSITIVE_INFINITY;
    try {
      return await open();
    } catch (error) {
      if (!hadTrouble || (error as { code?: string }).code !== 'WAL_IO_ERROR') throw error;
    }
    this.end();
    disk.nextProcess();
    return open();
  }
}
