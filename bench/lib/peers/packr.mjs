/**
 * msgpackr with shared structures for peers that store bytes: keys are written once, beside the
 * database, so that rows stay readable after it is reopened. The fastest codec the peers can have.
 */
import fs from 'node:fs';
import path from 'node:path';
import { Packr } from 'msgpackr';

/** @param {string} directory of the database */
export function openPackr(directory) {
  const file = path.join(directory, 'structures.json');
  return new Packr({
    getStructures: () => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : []),
    saveStructures: (structures) => fs.writeFileSync(file, JSON.stringify(structures)),
  });
}
