/** Plain counters of what a writer did since it was opened. Bytes are those handed to write calls, headers and repeated marks included. */

export type WriteCounters = Readonly<
  Pick<
    WriteStats,
    | 'recordsWritten'
    | 'commitsWritten'
    | 'framesWritten'
    | 'marksWritten'
    | 'segmentsEntered'
    | 'bytesWritten'
    | 'writes'
    | 'blockingWrites'
    | 'syncs'
    | 'syncMsTotal'
    | 'syncMsMax'
  >
>;

export class WriteStats {
  recordsWritten = 0;
  commitsWritten = 0;
  framesWritten = 0;
  marksWritten = 0;
  bytesWritten = 0;
  writes = 0;
  blockingWrites = 0;
  /** Synced writes count as syncs. */
  syncs = 0;
  syncMsTotal = 0;
  syncMsMax = 0;
  segmentsEntered = 0;

  wrote(bytes: number): void {
    this.writes++;
    this.bytesWritten += bytes;
  }

  synced(tookMs: number): void {
    this.syncs++;
    this.syncMsTotal += tookMs;
    if (tookMs > this.syncMsMax) this.syncMsMax = tookMs;
  }

  values(): WriteCounters {
    const { recordsWritten, commitsWritten, framesWritten, marksWritten, segmentsEntered } = this;
    const { bytesWritten, writes, blockingWrites, syncs, syncMsTotal, syncMsMax } = this;
    return {
      recordsWritten,
      commitsWritten,
      framesWritten,
      marksWritten,
      segmentsEntered,
      bytesWritten,
      writes,
      blockingWrites,
      syncs,
      syncMsTotal,
      syncMsMax,
    };
  }
}
