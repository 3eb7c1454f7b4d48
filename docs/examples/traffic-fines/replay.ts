/**
 * Replays cases into a store: many cases side by side, each one strictly in its own order.
 * Every write carries the time of the fact and an idempotency key that depends on the log alone, so
 * the whole replay may be sent again after a crash: what is there already answers `applied: false`.
 */
import type { Instances } from 'pawl';
import type { Case } from './log-file.ts';

export interface Replay {
  readonly machine: string;
  readonly cases: readonly Case[];
  /** Cases worked on at the same time; within a case the next write waits for the one before. */
  readonly concurrency: number;
  /** Called when a write of this case was acknowledged; not applied means it was there before. */
  readonly onWrite: (caseIndex: number, applied: boolean) => void;
}

/** Opening the case is a write of its own, before its events. */
export function writesOf({ events }: Case): number {
  return 1 + events.length;
}

export async function replay(
  instances: Pick<Instances, 'create' | 'apply'>,
  { machine, cases, concurrency, onWrite }: Replay,
): Promise<void> {
  const queue = cases.entries();
  const lane = async (): Promise<void> => {
    for (const [caseIndex, { id, events }] of queue) {
      // Keys of creates are shared by the machine, keys of events belong to their instance alone.
      const created = await instances.create({
        machine,
        id,
        at: events[0]?.at,
        idempotencyKey: id,
      });
      onWrite(caseIndex, created.applied);
      for (const [position, event] of events.entries()) {
        const { applied } = await instances.apply(id, event.activity, event.attrs, {
          at: event.at,
          eventId: String(event.seq),
          idempotencyKey: `event ${position}`,
        });
        onWrite(caseIndex, applied);
      }
    }
  };
  // The lanes share one queue: whoever finishes a case takes the next.
  await Promise.all(Array.from({ length: concurrency }, lane));
}
