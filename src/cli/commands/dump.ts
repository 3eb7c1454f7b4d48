/** `pawl dump DIR`: the log, record by record, as far as it can be read. */
import { nodeFileIo } from '../../base/node-file-io.ts';
import { impossibleRecord } from '../../engine/fold-log.ts';
import { type LogReport, verifyLog } from '../../../wal/verify.ts';
import { type DumpedRecord, LogDecoder } from '../dump/decode.ts';
import { type DumpSink, openSink } from '../dump/sink.ts';
import { EXIT, exitCodeOf } from '../exit-code.ts';
import { chooseReading } from '../live.ts';
import { type Context, printError, say } from '../output.ts';
import { counted } from '../text.ts';

export interface DumpChoices {
  /** First record shown. Default: the first there is. */
  readonly from?: number | undefined;
  /** Records shown at most. Default: all. */
  readonly limit?: number | undefined;
}

export async function dump(
  directory: string,
  choices: DumpChoices,
  context: Context,
): Promise<number> {
  const { shell } = context;
  const { writer, deliver } = await chooseReading(directory);
  const sink = openSink(context);
  const pass = new DumpPass(choices, sink, shell.isAbandoned);
  const report = await readUntilEnough(directory, deliver, pass);
  sink.end();
  if (pass.firstOffset > 1) {
    say(
      context,
      `the log begins with record ${pass.firstOffset}: what was created or defined before has no name here, only in the snapshots (pawl inspect)`,
    );
  }
  if (report === undefined || shell.isAbandoned()) return EXIT.ok;
  const hidden = deliver === 'attested' ? report.lastOffset - report.attestedOffset : 0;
  if (writer !== undefined && hidden > 0) {
    say(
      context,
      `${counted(hidden, 'record')} of process ${writer.pid}, not known to be synced, not shown`,
    );
  }
  const problems = [...report.problems];
  if (pass.failure !== undefined) {
    const { offset, cause } = pass.failure;
    problems.push(await impossibleRecord(nodeFileIo, report, offset, cause));
  }
  for (const problem of problems) printError(shell.err, context.format, problem);
  return problems.length === 0 ? EXIT.ok : exitCodeOf(problems[0]);
}

/** undefined: everything asked for was shown before the end of the log. */
async function readUntilEnough(
  directory: string,
  deliver: 'all' | 'attested',
  pass: DumpPass,
): Promise<LogReport | undefined> {
  try {
    return await verifyLog(directory, { deliver, begin: () => pass.begin() });
  } catch (error) {
    if (error instanceof Enough) return undefined;
    throw error;
  }
}

/** Thrown through the reader to end it. */
class Enough extends Error {}

class DumpPass {
  /** The first record that could not be decoded; nothing behind it is shown. */
  failure: { readonly offset: number; readonly cause: unknown } | undefined;
  /** First record of the log; 0 before it was met. */
  firstOffset = 0;
  private readonly sink: DumpSink;
  private readonly isAbandoned: () => boolean;
  /** Next record to show; reading may start over, showing does not. */
  private next: number;
  private left: number;

  constructor(choices: DumpChoices, sink: DumpSink, isAbandoned: () => boolean) {
    this.sink = sink;
    this.isAbandoned = isAbandoned;
    this.next = choices.from ?? 1;
    this.left = choices.limit ?? Number.POSITIVE_INFINITY;
  }

  begin(): (bytes: Uint8Array, start: number, end: number, firstOffset: number) => void {
    const decoder = new LogDecoder();
    this.failure = undefined;
    return (bytes, start, end, firstOffset) => {
      if (this.isAbandoned()) throw new Enough();
      if (this.failure !== undefined) return;
      if (this.firstOffset === 0) this.firstOffset = firstOffset;
      try {
        decoder.frame(bytes, start, end, firstOffset, this.next);
      } catch (cause) {
        this.failure = { offset: decoder.offset, cause };
      }
      for (const record of decoder.taken()) this.show(record);
    };
  }

  private show(record: DumpedRecord): void {
    this.sink.add(record);
    this.next = record.offset + 1;
    if (--this.left <= 0) throw new Enough();
  }
}
