/** How much a segment takes: what the appender says of it, and what it then does. */
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../../src/base/bytes.ts';
import { Appender, type Sealable, frameRoom } from '../../../wal/appender.ts';
import { FRAME, PAYLOAD_START, SEGMENT_OVERHEAD_BYTES } from '../../../wal/format.ts';
import { LOG_START } from '../../../wal/position.ts';
import type { Segment } from '../../../wal/prepare-segment.ts';
import { SegmentList } from '../../../wal/segment-list.ts';

const plain = {} as Segment['plain'];
const segment = (sizeBytes: number): Segment => ({
  number: 1,
  path: '/db/00000001.wal',
  sizeBytes,
  seed: 7,
  synced: undefined,
  plain,
});

function frameOf(payloadBytes: number, firstOffset: number): Sealable {
  const writer = new ByteWriter(PAYLOAD_START + payloadBytes + 8);
  writer.position = PAYLOAD_START + payloadBytes;
  return { writer, firstOffset, recordCount: 1 };
}

describe('room', () => {
  it('there is none before the first segment', () => {
    const appender = new Appender(LOG_START, LOG_START, new SegmentList());
    expect([appender.room, appender.hasRoomForMark]).toEqual([0, false]);
  });

  it('counts the link a fresh segment still needs: a frame of all of it fits, with a mark behind', () => {
    for (const sizeBytes of [4096, 8192]) {
      const appender = new Appender(LOG_START, LOG_START, new SegmentList());
      appender.enter(segment(sizeBytes));
      const { room } = appender;
      expect(room).toBe(sizeBytes - SEGMENT_OVERHEAD_BYTES);
      appender.seal(frameOf(room - FRAME.size, 1));
      expect([appender.room, appender.placed.at]).toEqual([0, 64]);
      appender.sealMark();
      expect(appender.position).toBe(sizeBytes);
      expect(appender.placed.at + appender.placed.length).toBe(sizeBytes);
    }
  });

  it('goes down by what frames and marks take, once for a mark that goes again', () => {
    const appender = new Appender(LOG_START, LOG_START, new SegmentList());
    appender.enter(segment(4096));
    let { room } = appender;
    for (let offset = 1; offset < 10; offset++) {
      appender.seal(frameOf(offset * 13, offset));
      room -= frameRoom(offset * 13);
      expect(appender.room).toBe(room);
      appender.noteSynced(appender.capture());
      appender.sealMark();
      room -= FRAME.size;
      expect(appender.room).toBe(room);
      appender.sealMark();
      expect(appender.room).toBe(room);
    }
  });
});
