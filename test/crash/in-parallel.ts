/** Runs many things two at a time: as many processors as may be expected. */
export async function inParallel<T>(
  items: readonly T[],
  run: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = [...items.entries()];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      await run(next[1], next[0]);
  };
  // What goes on after a failure would find its files removed.
  const ended = await Promise.allSettled([lane(), lane()]);
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}
