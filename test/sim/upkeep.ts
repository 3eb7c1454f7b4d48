/**
 * What a caller does besides commands: snapshots, compaction, looks into the past, queries. Drawn
 * from the choices; whatever it brings to light is compared with the model of the life it belongs to.
 */
import type { Moment } from '../../src/engine/api/time-travel.ts';
import { type Choices, pick } from './choices.ts';
import type { Life } from './life.ts';
import { modelAt } from './past.ts';
import { drawQuestion } from './questions.ts';

/** One thing now and then; what takes time goes on beside what follows. */
export function maybeSomething(life: Life, choose: Choices): void {
  switch (choose(12)) {
    case 1:
      return life.keepUp('snapshot');
    case 2:
      return life.keepUp(pick(choose, ['compact', 'compact', 'force'] as const));
    case 3:
    case 4:
      return life.lookBack(drawMoment(life, choose), drawQuestion(choose, life.visible));
    case 5:
      return life.compare(drawMoment(life, choose), drawMoment(life, choose));
    case 6:
    case 7:
    case 8:
      return life.ask(drawQuestion(choose, life.visible));
    default:
  }
}

function drawMoment(life: Life, choose: Choices): Moment {
  const present = life.store.offset;
  const offset =
    choose(3) === 2 ? choose(present + 1) : present - choose(Math.min(present, 12) + 1);
  if (choose(3) > 0) return { offset };
  // At a commit, or just before: clocks jump, so that times are in no order.
  const { time } = modelAt(life.model.history, { offset }, present);
  return { time: Number.isFinite(time) ? time - choose(3) : choose(2 ** 31) };
}
