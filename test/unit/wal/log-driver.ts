/** Drives a LogWriter in tests: commits whose content follows from their offset, a sink that checks order, and reading back. */
import { silentLogger } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { StoreError } from '../../../src/base/errors.ts';
import { nodeThread, type Thread } from '../../../src/base/thread.ts';
import type { FileIo } from '../../../src/base/file-io.ts';
import type { Frame } from '../../../wal/frame-queue.ts';
import { openLogWriter } from '../../../wal/open-writer.ts';
import type { LogWriterOptions } from '../../../wal/options.ts';
import type { LogSink } from '../../../wal/ordered-log.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import type { ScanOptions, ScanReport } from '../../../wal/scan-report.ts';
import { scanLog } from '../../../wal/scan.ts';
import type { LogWriter } from '../../../wal/writer.ts';
import { systemClock } from '../../../src/base/clock.ts';

export interface Ticket {
  readonly resolve: (offset: number) => void;
  readonly reject: (error: StoreError) => void;
}

/** Timers fire only when told to; turns are real. */
export class ManualThread implements Thread {
  private readonly timers = new Set<() => void>();
  now = 0;
  afterMicrotasks(run: () => void): void {
    nodeThread.afterMicrotasks(run);
  }
  nextTurn(run: () => void): void {
    nodeThread.nextTurn(run);
  }
  monotonicMs(): number {
    return this.now;
  }
  delay(_delayMs: number, run: () => void): () => void {
    this.timers.add(run);
    return () => void this.timers.delete(run);
  }
  fire(elapsedMs = 1000): void {
    this.now += elapsedMs;
    const due = Array.from(this.timers);
    this.timers.clear();
    for (const run of due) run();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

export class Driver implements LogSink<Ticket> {
  writer!: LogWriter<Ticket>;
  accepted$ = 0;
  synced$ = 0;
  failures: { outcome: unknown; tickets: number }[] = [];
  refusals = 0;
  onAck: (offset: number) => void = () => undefined;
  onSynced: (offset: number) => void = () => undefined;
  recordBytes = 40;

  accepted(frame: Frame<Ticket>): void {
    const records = readPayload(
      frame.writer.bytes,
      frame.payloadStart,
      frame.payloadEnd,
      frame.firstOffset,
    );
    if (frame.firstOffset !== this.accepted$ + 1)
      throw new Error(`frame ${frame.firstOffset} after ${this.accepted$}`);
    for (const record of records) checkRecord(record.offset, record.bytes);
    this.accepted$ = frame.lastOffset;
    this.onAck(frame.lastOffset);
    for (const ticket of frame.tickets) ticket.resolve(frame.lastOffset);
    this.writer.release(frame);
  }
  synced(offset: number): void {
    this.synced$ = offset;
    this.onSynced(offset);
  }
  failed(
    tried: { error: StoreError; tickets: readonly Ticket[] },
    waiting: { error: StoreError; tickets: readonly Ticket[] },
  ): void {
    for (const { error, tickets } of [tried, waiting]) {
      this.failures.push({
        outcome: (error.details as { outcome: unknown }).outcome,
        tickets: tickets.length,
      });
      for (const ticket of tickets) ticket.reject(error);
    }
  }
  refused(waiting: { error: StoreError; tickets: readonly Ticket[] }): void {
    this.refusals++;
    for (const ticket of waiting.tickets) ticket.reject(waiting.error);
  }

  /** One commit of `count` records. */
  commit(count = 1, mustSync = false): Promise<number> {
    const { writer } = this;
    return new Promise((resolve, reject) => {
      writer.admit();
      writer.checkRoom();
      writer.begin();
      for (let i = 0; i < count; i++) {
        const offset = writer.openOffset;
        writer.beginRecord().raw(recordOf(offset, this.recordBytes));
        writer.endRecord();
      }
      writer.commit({ resolve, reject }, mustSync);
    });
  }
}

/** Content of the record with this offset: its number, then bytes that follow from it. */
export function recordOf(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(8, length));
  new DataView(bytes.buffer).setFloat64(0, offset);
  for (let i = 8; i < bytes.length; i++) bytes[i] = (offset * 31 + i) & 255;
  return bytes;
}

function checkRecord(offset: number, bytes: Uint8Array): void {
  if (Buffer.compare(recordOf(offset, bytes.length), bytes) !== 0)
    throw new Error(`record ${offset} has other content`);
}

function readPayload(
  bytes: Uint8Array,
  start: number,
  end: number,
  firstOffset: number,
): { offset: number; bytes: Uint8Array; isLast: boolean }[] {
  const cursor = new RecordCursor();
  const records = [];
  cursor.reset(bytes, start, end, firstOffset);
  while (cursor.advance())
    records.push({
      offset: cursor.offset,
      bytes: bytes.slice(cursor.start, cursor.end),
      isLast: cursor.isLastOfCommit,
    });
  return records;
}

export interface Opened {
  readonly driver: Driver;
  readonly writer: LogWriter<Ticket>;
  /** Offsets replayed while opening. */
  readonly replayed: number;
}

export async function openDriver(
  fileIo: FileIo,
  directory: string,
  options: Partial<LogWriterOptions<Ticket>> = {},
): Promise<Opened> {
  const driver = new Driver();
  let replayed = 0;
  driver.writer = await openLogWriter<Ticket>(directory, {
    fileIo,
    clock: { ...systemClock, now: () => 1_700_000_000_000 },
    thread: new ManualThread(),
    random: seededRandom(7),
    logger: silentLogger,
    segmentBytes: 4096,
    sink: driver,
    onFrame(bytes, start, end, firstOffset, count) {
      const records = readPayload(bytes, start, end, firstOffset);
      if (firstOffset !== replayed + 1 || records.length !== count)
        throw new Error(`replayed ${firstOffset} after ${replayed}`);
      for (const record of records) checkRecord(record.offset, record.bytes);
      replayed += count;
    },
    ...options,
  });
  driver.accepted$ = replayed;
  return { driver, writer: driver.writer, replayed };
}

/** Offsets found, in order and with the right content. */
export async function scanDriver(
  fileIo: FileIo,
  directory: string,
  options: ScanOptions = {},
): Promise<{ report: ScanReport | undefined; records: number }> {
  let records = 0;
  const report = await scanLog(fileIo, directory, {
    ...options,
    onFrame(bytes, start, end, firstOffset) {
      for (const record of readPayload(bytes, start, end, firstOffset)) {
        if (record.offset !== records + 1)
          throw new Error(`record ${record.offset} after ${records}`);
        checkRecord(record.offset, record.bytes);
        records++;
      }
    },
  });
  return { report, records };
}
