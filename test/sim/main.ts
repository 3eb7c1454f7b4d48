/**
 * The command `npm run crash`: campaigns of simulated crashes and damage, on as many processes as
 * there are cores, or one state of them again. Exit code 0: nothing found; 1: a violation; 2: the
 * arguments make no sense.
 */
import { type Asked, parse } from './command-line.ts';
import { replayDamage } from './damage-campaign.ts';
import { JobPool } from './job-pool.ts';
import { replayLog } from './log-campaign.ts';
import { replayStore } from './store-campaign.ts';
import { progressLine, rowsOf, table, violationText } from './summary.ts';

const PROGRESS_MS = 3000;
/** As a shell says of a program that SIGINT ended. */
const INTERRUPTED = 130;

async function replay(token: string): Promise<number> {
  let message: string | undefined;
  try {
    if (token.startsWith('log/')) message = await replayLog(token);
    else if (token.startsWith('damage/')) message = await replayDamage(token);
    else if (token.startsWith('store/')) message = (await replayStore(token))?.message;
    else throw new Error(`'${token}' is no token: they begin with log/, store/ or damage/`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`error: --replay: ${why}\n`);
    return 2;
  }
  process.stdout.write(message === undefined ? 'nothing is wrong with it\n' : `${message}\n`);
  return message === undefined ? 0 : 1;
}

async function campaign(asked: Asked): Promise<number> {
  const pool = new JobPool(asked);
  const startedAt = performance.now();
  const progress = setInterval(() => {
    const line = progressLine(pool.results, asked, performance.now() - startedAt);
    process.stderr.write(`${line}\n`);
  }, PROGRESS_MS);
  let interrupts = 0;
  const onInterrupt = (): void => {
    interrupts++;
    if (interrupts === 1) pool.stop();
    else pool.kill();
  };
  process.on('SIGINT', onInterrupt);
  try {
    await pool.run();
  } finally {
    clearInterval(progress);
    process.off('SIGINT', onInterrupt);
  }
  const code = conclude(pool, asked);
  if (interrupts === 0) return code;
  process.stderr.write('stopped before it was done\n');
  return code === 0 ? INTERRUPTED : code;
}

function conclude(pool: JobPool, asked: Asked): number {
  const rows = rowsOf(pool.results);
  const failures = pool.failures;
  if (asked.isJson) {
    const campaigns = Object.fromEntries(rows.map(({ campaign: name, ...row }) => [name, row]));
    process.stdout.write(`${JSON.stringify({ seed: asked.seed, campaigns, failures })}\n`);
  } else process.stdout.write(`${table(rows)}\n`);
  const text = [...failures, violationText(rows)].filter((part) => part !== '').join('\n');
  if (text === '') return 0;
  process.stderr.write(`${text}\n`);
  return 1;
}

const asked = parse(process.argv.slice(2));
if (typeof asked === 'number') process.exitCode = asked;
else
  process.exitCode =
    asked.replay === undefined ? await campaign(asked) : await replay(asked.replay);
