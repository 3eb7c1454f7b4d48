/** Migration in the reference model: which instances go on under another version, and which stay. */
import type { Answer, Fields, MapData, MigrateCommand } from './commands.ts';
import type { ModelState, Row } from './model-state.ts';

/** What a map that is called for this instance gives, or why it throws. */
export function mapOf(map: MapData): (row: Pick<Row, 'state' | 'context'>) => {
  state: string;
  context: Fields;
} {
  return ({ state, context }) => {
    if (map.refusesN !== undefined && context['n'] === map.refusesN) throw new Error(REFUSED);
    return { state: map.state ?? state, context: { ...context, ...map.adds } };
  };
}

const REFUSED = 'the map wants none of it';

export interface Migration {
  /** Is there anything that a commit is opened for? */
  readonly hasAny: boolean;
  readonly effect: (work: ModelState) => Answer;
}

/** A refusal, or what is to be done; `order`: ids in the order of their handles. */
export function decideMigration(
  command: MigrateCommand,
  state: ModelState,
  order: readonly string[],
  now: number,
): Answer | Migration {
  const { machine, fromVersion, toVersion } = command;
  if (fromVersion === toVersion) return { code: 'BAD_REQUEST' };
  const offered = state.offered(machine).map(({ definition }) => definition);
  const [from, to] = [fromVersion, toVersion].map((version) =>
    offered.find((one) => one.version === version),
  );
  if (from === undefined) return { code: 'MACHINE_NOT_FOUND', machine, version: fromVersion };
  if (to === undefined) return { code: 'MACHINE_NOT_FOUND', machine, version: toVersion };
  const isMeant = (row: Row | undefined): row is Row =>
    row !== undefined && !row.deleted && row.machine === machine && row.version === fromVersion;
  const map = command.map === undefined ? undefined : mapOf(command.map);
  const effect = (work: ModelState): Answer => {
    const byState: Record<string, number> = Object.create(null) as Record<string, number>;
    const failures: Answer[] = [];
    let migrated = 0;
    for (const id of order) {
      const row = work.instances.get(id);
      if (!isMeant(row)) continue;
      const next = goneOn(row, to.states, toVersion, map);
      if (typeof next === 'string') {
        failures.push({ id, reason: next });
        continue;
      }
      migrated++;
      byState[next.state] = (byState[next.state] ?? 0) + 1;
      if (command.isDry) continue;
      const updatedAt = Math.max(now, row.updatedAt);
      work.instances.set(id, {
        ...row,
        ...next,
        version: toVersion,
        updatedAt,
        offset: ++work.offset,
      });
    }
    return { migrated, byState, failures, failed: failures.length };
  };
  return { hasAny: !command.isDry && [...state.instances.values()].some(isMeant), effect };
}

/** State and context, or why it stays as it is. */
function goneOn(
  row: Row,
  states: readonly string[],
  toVersion: number,
  map: ReturnType<typeof mapOf> | undefined,
): Pick<Row, 'state' | 'context'> | string {
  try {
    const next = map === undefined ? row : map(row);
    const { state, context } = next;
    if (states.includes(state)) return { state, context };
    return `version ${toVersion} has no state ${JSON.stringify(state)}`;
  } catch (error) {
    return (error as Error).message;
  }
}
