/** `pawl snapshots DIR`: the snapshots that count, what is in them, and whether they are whole. Changes nothing. */
import { nodeFileIo } from '../../base/node-file-io.ts';
import { SnapshotSurvey } from '../../engine/snapshots/survey.ts';
import { checkDirectory } from '../../../wal/verify.ts';
import { EXIT } from '../exit-code.ts';
import { snapshotView } from '../inspect/model.ts';
import { snapshotLines } from '../inspect/terminal.ts';
import { type Context, type Problem, errorData, printResult } from '../output.ts';
import { painter, printable } from '../text.ts';
import { problemLines } from './verify.ts';

export async function snapshots(directory: string, context: Context): Promise<number> {
  await checkDirectory(nodeFileIo, directory);
  const survey = new SnapshotSurvey(nodeFileIo, directory, 'bytes');
  await survey.read();
  const reports = survey.finished();
  const found = reports.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const problems: readonly Problem[] = [...survey.problems, ...found].map(errorData);
  const views = reports.map(snapshotView);
  const ok = problems.length === 0;
  printResult(context, { location: directory, ok, snapshots: views, problems }, () => {
    const [, ...lines] = snapshotLines(views, painter(context.shell.out));
    const none = `${printable(directory)}: no snapshot yet`;
    return [...(views.length === 0 ? [none] : lines), ...problemLines(problems)];
  });
  return ok ? EXIT.ok : EXIT.error;
}
