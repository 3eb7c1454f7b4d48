/** Worker that keeps a processor busy for a part of the time and does nothing with it: the control of the bench of snapshots. */
import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';

const { workMs, restMs } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));

// That of the worker that takes snapshots; on Linux 0 is this thread.
if (process.platform === 'linux') setPriority(0, 5);
for (;;) {
  const end = performance.now() + workMs;
  while (performance.now() < end);
  Atomics.wait(never, 0, 0, restMs);
}
