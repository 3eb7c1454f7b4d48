/**
 * A small library: documents move through states, and what is published can be found by meaning. A
 * document and its vector change in one transaction, so a search never gives one that was withdrawn,
 * and a crash leaves no document published that nobody can find.
 *
 * Vectors come from an embedding model of yours; make them before the transaction, which must not wait.
 */
import { type Collection, defineMachine, type MachineHandle, type ShapeOf, type Store } from 'pawl';

export const DOCUMENT = defineMachine({
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- context and events are inferred from it
  types: {} as {
    context: { title: string; language: string };
    events: { PUBLISH: { by: string }; REVISE: undefined; WITHDRAW: undefined };
  },
  name: 'document',
  version: 1,
  states: ['draft', 'published', 'withdrawn'],
  initial: 'draft',
  transitions: [
    { from: 'draft', event: 'PUBLISH', to: 'published' },
    { from: 'published', event: 'REVISE', to: 'published' },
    { from: 'published', event: 'WITHDRAW', to: 'withdrawn' },
  ],
});

interface Facts {
  readonly language: string;
}

export interface Library {
  readonly store: Store;
  readonly documents: MachineHandle<ShapeOf<typeof DOCUMENT>>;
  readonly vectors: Collection<Facts>;
}

export async function openLibrary(store: Store, dimensions: number): Promise<Library> {
  const documents = await store.machine(DOCUMENT);
  const vectors = await store.collections.open<Facts>('documents', {
    dimensions,
    metric: 'cosine',
  });
  return { store, documents, vectors };
}

/** Published and findable, or neither. The key makes it safe to try again. */
export async function publish(
  { store, documents }: Library,
  id: string,
  by: string,
  vector: readonly number[],
): Promise<void> {
  await store.transaction(
    (tx) => {
      const { context } = tx.machine(documents).apply(id, 'PUBLISH', { by });
      tx.collection<Facts>('documents').upsert([
        { id, vector, metadata: { language: context.language } },
      ]);
    },
    { idempotencyKey: `publish-${id}` },
  );
}

/** Another text has another vector; what stands in the metadata stays. */
export async function revise(
  { store, documents }: Library,
  id: string,
  vector: readonly number[],
): Promise<void> {
  await store.transaction((tx) => {
    const vectors = tx.collection<Facts>('documents');
    const before = vectors.get(id);
    tx.machine(documents).apply(id, 'REVISE');
    vectors.upsert([{ id, vector, metadata: before?.metadata }]);
  });
}

export async function withdraw({ store, documents }: Library, id: string): Promise<void> {
  await store.transaction((tx) => {
    tx.machine(documents).apply(id, 'WITHDRAW');
    tx.collection('documents').delete([id]);
  });
}

/** Titles of published documents in a language, the nearest first. */
export function find(
  { documents, vectors }: Library,
  vector: readonly number[],
  language: string,
): string[] {
  const matches = vectors.search({ vector, k: 3, filter: { language }, threshold: 0.5 });
  return matches.map(({ id }) => documents.get(id)?.context.title ?? id);
}
