/**
 * Entry of the snapshot worker: the job of make-snapshot.ts on the real disk, one request at a
 * time, and its pacing. No logic of its own.
 */
import { parentPort } from 'node:worker_threads';
import { nodeFileIo } from '../../base/node-file-io.ts';
import { nodeThread } from '../../base/thread.ts';
import { runInBackground } from '../../base/thread-priority.ts';
import { makeSnapshot } from './make-snapshot.ts';
import { plainError, SHARED, type WorkerAnswer, type WorkerRequest } from './worker-messages.ts';

/** Work without a pause while commits go on; and how much longer than that the rest lasts (bench snapshot). */
const SLICE_MS = 1;
const REST_FACTOR = 3;

runInBackground();
parentPort?.on('message', (request: WorkerRequest) => void answer(request));
tell({ isReady: true });

function tell(message: WorkerAnswer): void {
  parentPort?.postMessage(message, []);
}

async function answer({ task, shared }: WorkerRequest): Promise<void> {
  let result: WorkerAnswer;
  try {
    const control = { pause: paced(shared), signal: new AbortController().signal };
    result = { made: await makeSnapshot(nodeFileIo, task, control) };
  } catch (error) {
    result = { error: plainError(error) };
  }
  tell(result);
}

/** Rests only while others commit: nobody is in the way of a store that stands still. */
function paced(shared: Int32Array): () => Promise<void> {
  let startedAt = nodeThread.monotonicMs();
  let frames = Atomics.load(shared, SHARED.frames);
  return async () => {
    const workedMs = nodeThread.monotonicMs() - startedAt;
    if (workedMs < SLICE_MS) return;
    const now = Atomics.load(shared, SHARED.frames);
    if (now !== frames) Atomics.wait(shared, SHARED.never, 0, workedMs * REST_FACTOR);
    frames = now;
    startedAt = nodeThread.monotonicMs();
  };
}
