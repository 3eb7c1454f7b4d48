/** Starts the jobs of `npm run crash`, hears how far they are, and ends them when asked to. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CampaignResult } from './campaign.ts';
import { type Asked, type CampaignName, CAMPAIGNS } from './command-line.ts';
import type { Report, Task } from './job.ts';

/** Of the states asked for, or of the time. The log is the quickest, and what all else stands on. */
const SHARES: Readonly<Record<CampaignName, { readonly states: number; readonly time: number }>> = {
  log: { states: 0.85, time: 0.5 },
  store: { states: 0.1, time: 0.35 },
  damage: { states: 0.05, time: 0.15 },
};
const PROGRAM = fileURLToPath(new URL('./job.js', import.meta.url));

export class JobPool {
  /** What each job found in each campaign, so far. */
  readonly results: Map<CampaignName, CampaignResult[]> = new Map();
  /** Jobs that ended without a result. */
  readonly failures: string[] = [];
  private readonly children: ChildProcess[] = [];
  private readonly asked: Asked;

  constructor(asked: Asked) {
    this.asked = asked;
  }

  /** Resolves when the last one is through. */
  async run(): Promise<void> {
    const ends: Promise<void>[] = [];
    for (let share = 0; share < this.asked.jobs; share++) ends.push(this.start(share));
    await Promise.all(ends);
  }

  stop(): void {
    for (const child of this.children) if (child.connected) child.send('stop');
  }

  kill(): void {
    for (const child of this.children) child.kill('SIGKILL');
  }

  private start(share: number): Promise<void> {
    const tasks = tasksOf(this.asked, share);
    const child = fork(PROGRAM, [JSON.stringify(tasks)]);
    this.children.push(child);
    let left = tasks.length;
    let isAsked = false;
    child.on('message', ({ campaign, result, isOver }: Report) => {
      const all = this.results.get(campaign) ?? [];
      all[share] = result;
      this.results.set(campaign, all);
      if (isOver) left--;
    });
    child.on('disconnect', () => (isAsked = true));
    return new Promise((resolve) => {
      child.on('close', (code, signal) => {
        const isWhole = left === 0 || (code === 0 && isAsked);
        if (!isWhole) this.failures.push(`job ${share} ended by itself (${signal ?? code})`);
        resolve();
      });
    });
  }
}

function tasksOf(asked: Asked, share: number): Task[] {
  const { only, jobs, seed, states, minutes, isExhaustive } = asked;
  return CAMPAIGNS.filter((campaign) => only === undefined || only === campaign).map((campaign) => {
    const part = only === undefined ? SHARES[campaign] : { states: 1, time: 1 };
    const isTimed = minutes !== undefined;
    return {
      campaign,
      seed,
      share,
      jobs,
      isExhaustive,
      states: isTimed ? null : Math.ceil((states * part.states) / jobs),
      untilMs: isTimed ? minutes * 60_000 * part.time : null,
    };
  });
}
