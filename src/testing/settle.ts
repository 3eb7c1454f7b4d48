/**
 * Waits for something that runs in a simulation, but not for ever: what waits for the real world,
 * or never ends, is told so.
 */
import { nodeThread } from '../base/thread.ts';
import type { Simulation } from './simulation.ts';

export interface Patience {
  /** Real milliseconds during which nothing may happen in the simulation. */
  readonly idleMs: number;
  /** Calls of the disk. */
  readonly maxCalls: number;
}

/** Things that may happen in a simulation for each call of the disk that is allowed. */
const STEPS_PER_CALL = 20;

/** @throws {Error} when patience ends; whatever `run` throws otherwise. */
export async function settle<R>(
  simulation: Simulation,
  what: string,
  patience: Patience,
  run: () => Promise<R> | R,
): Promise<R> {
  let isOver = false;
  const { scheduler, disk } = simulation;
  const before = scheduler.happened;
  return new Promise<R>((resolve, reject) => {
    const end = (finish: () => void): void => {
      isOver = true;
      finish();
    };
    const giveUp = (why: string): void => {
      end(() => reject(new Error(`${what} ${why}`)));
      simulation.stop();
    };
    let seen = -1;
    let since = nodeThread.monotonicMs();
    const look = (): void => {
      if (isOver) return;
      if (disk.calls > patience.maxCalls)
        return giveUp(
          `made more than ${patience.maxCalls} calls of the disk: it must come to an end, or maxCalls must be higher`,
        );
      if (scheduler.happened - before > STEPS_PER_CALL * patience.maxCalls)
        return giveUp(
          'goes on for ever without calls of the disk: a loop around `sleep` must come to an end, or maxCalls must be higher',
        );
      const now = nodeThread.monotonicMs();
      if (scheduler.happened !== seen) {
        seen = scheduler.happened;
        since = now;
      } else if (now - since > patience.idleMs)
        return giveUp(
          `waits for something that never happens in the simulation: nothing did for ${patience.idleMs} ms. ` +
            'Time must come from `sleep` and `ports`; real timers, files and sockets are not simulated',
        );
      nodeThread.nextTurn(look);
    };
    nodeThread.nextTurn(look);
    const started = (async () => run())();
    started.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}
