/** Worker that keeps a processor busy for a part of the time and does nothing with it: the control of the bench of snapshots. */
import { workerData } from 'node:worker_threads';

const { workMs, restMs } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));

for (;;) {
  const end = performance.now() + workMs;
  while (performance.now() < end);
  Atomics.wait(never, 0, 0, restMs);
}
