/** The library example: a document and its vector move together, also when a transaction fails or the store is opened again. */
import { isStoreError, openStore } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { expect, it } from 'vitest';
import {
  find,
  openLibrary,
  publish,
  revise,
  withdraw,
} from '../../../docs/examples/document-search/library.ts';

/** As a model gives them, shortened: sea, money, law, weather, city, food. */
const TIDES = [0.82, 0.02, 0.05, 0.53, 0.08, 0.11];
const RENTS = [0.04, 0.71, 0.33, 0.01, 0.61, 0.06];
const HARBOUR_DUES = [0.55, 0.62, 0.41, 0.04, 0.31, 0.02];
const ABOUT_THE_SEA = [0.9, 0.05, 0, 0.4, 0.1, 0.05];

it('VEC-4 what is published is found, what is withdrawn is not, and a failure leaves both as they were', async () => {
  const { fileIo } = SimDisk.of();
  const library = await openLibrary(await openStore('/library', { fileIo }), 6);
  const texts = [
    ['tides', 'Tides', TIDES],
    ['rents', 'Rents', RENTS],
    ['dues', 'Harbour dues', HARBOUR_DUES],
  ] as const;
  for (const [id, title] of texts)
    await library.documents.create({ id, context: { title, language: 'en' } });
  for (const [id, , vector] of texts) await publish(library, id, 'ada', vector);
  await publish(library, 'tides', 'ada', TIDES);
  expect(find(library, ABOUT_THE_SEA, 'en')).toEqual(['Tides', 'Harbour dues']);
  expect(find(library, ABOUT_THE_SEA, 'de')).toEqual([]);

  await revise(library, 'dues', [0.05, 0.8, 0.5, 0, 0.3, 0]);
  expect(find(library, ABOUT_THE_SEA, 'en')).toEqual(['Tides']);
  await withdraw(library, 'tides');
  expect(find(library, ABOUT_THE_SEA, 'en')).toEqual([]);

  // Five numbers: the document is not revised either.
  const before = library.documents.get('rents');
  const error: unknown = await revise(library, 'rents', [1, 2, 3, 4, 5]).catch(
    (caught: unknown) => caught,
  );
  expect(isStoreError(error, 'DIMENSION_MISMATCH')).toBe(true);
  expect(library.documents.get('rents')).toEqual(before);
  expect(library.vectors.get('rents')?.vector).toEqual(Float32Array.from(RENTS));

  await library.store.close();
  const again = await openLibrary(await openStore('/library', { fileIo }), 6);
  expect(find(again, RENTS, 'en')[0]).toBe('Rents');
  expect(again.vectors.count()).toBe(2);
  await again.store.close();
});
