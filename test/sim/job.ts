/**
 * One process of `npm run crash`: runs its share of each campaign, one after the other, tells how
 * far it is, and ends when it is told to. Seeds of different jobs are disjoint.
 */
import type { CampaignResult } from './campaign.ts';
import type { CampaignName } from './command-line.ts';
import { runDamageCampaign } from './damage-campaign.ts';
import { runLogCampaign } from './log-campaign.ts';
import { runStoreCampaign } from './store-campaign.ts';

export interface Task {
  readonly campaign: CampaignName;
  readonly seed: number;
  /** Which of how many jobs. */
  readonly share: number;
  readonly jobs: number;
  /** Infinity does not survive the way into another process. */
  readonly states: number | null;
  readonly untilMs: number | null;
  readonly isExhaustive: boolean;
}

/** From the job: how far a campaign is, or that it is over. */
export interface Report {
  readonly campaign: CampaignName;
  readonly result: CampaignResult;
  readonly isOver: boolean;
}

const EVERY_MS = 400;
let isStopped = false;
let toldAt = 0;

function tell(report: Report): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(report, undefined, undefined, () => resolve());
  });
}

function run(task: Task): Promise<CampaignResult> {
  const { campaign, seed, share, jobs, isExhaustive } = task;
  const states = task.states ?? Number.POSITIVE_INFINITY;
  const untilMs = task.untilMs ?? Number.POSITIVE_INFINITY;
  const startedAt = performance.now();
  const onProgress = (result: CampaignResult): boolean => {
    const now = performance.now();
    if (now - toldAt > EVERY_MS) {
      toldAt = now;
      void tell({ campaign, result, isOver: false });
    }
    return !isStopped && now - startedAt < untilMs;
  };
  // Seeds far apart begin far apart, and the runs of one seed are those behind it.
  const first = Math.imul(seed, 0x9e3779b1) >>> 0;
  const own = (first + share) >>> 0;
  if (campaign === 'log') return runLogCampaign({ seed: own, stride: jobs, states, onProgress });
  if (campaign === 'store') return runStoreCampaign({ seed: own, states, onProgress });
  const limits = isExhaustive ? {} : { states, untilMs };
  return runDamageCampaign({
    seed: first,
    share,
    stride: jobs,
    isExhaustive,
    onProgress,
    ...limits,
  });
}

async function main(tasks: readonly Task[]): Promise<void> {
  // Ctrl-C reaches all processes of a terminal; the one that started us says when to end.
  process.on('SIGINT', () => undefined);
  process.on('message', () => void (isStopped = true));
  process.on('disconnect', () => process.exit(1));
  for (const task of tasks) {
    if (isStopped) break;
    const result = await run(task);
    await tell({ campaign: task.campaign, result, isOver: true });
  }
  process.removeAllListeners('disconnect');
  if (process.connected) process.disconnect();
}

await main(JSON.parse(process.argv[2] ?? '[]') as Task[]);
