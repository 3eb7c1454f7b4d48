/** What a batch is told about itself stands in every one of its records, and in none after it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openStore } from 'pawl';
import { expect, onTestFinished, test } from 'vitest';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { FIELD, RECORD_KIND } from '../../../src/record/kind.ts';
import { RecordReader } from '../../../src/record/record-reader.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import { scanLog } from '../../../wal/scan.ts';
import { DOOR } from './cases/contract.ts';

test('D-3 actor, reason, correlation and time of a batch are in each of its records', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pawl-batch-notes-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const store = await openStore(directory);
  await store.machines.put(DOOR);
  await store.batch(
    [
      { op: 'create', machine: 'door', id: 'a' },
      { op: 'apply', id: 'a', event: 'PUSH' },
      { op: 'delete', id: 'a' },
    ],
    { actor: 'ada', reason: 'because', correlationId: 'c-1', at: 7 },
  );
  await store.batch([{ op: 'create', machine: 'door', id: 'b' }]);
  await store.close();
  const notes = await notesOf(directory);
  const all = { actor: 'ada', reason: 'because', correlationId: 'c-1', at: 7 };
  expect(notes).toEqual([all, all, all, {}]);
});

async function notesOf(directory: string): Promise<object[]> {
  const found: object[] = [];
  const cursor = new RecordCursor();
  const record = new RecordReader();
  await scanLog(nodeFileIo, directory, {
    onFrame(bytes, start, end, firstOffset) {
      cursor.reset(bytes, start, end, firstOffset);
      while (cursor.advance()) {
        record.read(bytes, cursor.start, cursor.end);
        if (record.kind === RECORD_KIND.define) continue;
        found.push({
          ...(record.has(FIELD.actor) && { actor: record.text(record.actor) }),
          ...(record.has(FIELD.reason) && { reason: record.text(record.reason) }),
          ...(record.has(FIELD.correlationId) && {
            correlationId: record.text(record.correlationId),
          }),
          ...(record.has(FIELD.at) && { at: record.at }),
        });
      }
    },
  });
  return found;
}
