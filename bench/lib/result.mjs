/**
 * One row of the table: ours, the peers, and the ratio to the best of them.
 */

/** @typedef {import('./rounds.mjs').Outcome} Outcome */

/**
 * @typedef {object} Row
 * @property {string} bench
 * @property {string} row what was asked
 * @property {string} unit
 * @property {Record<string, number>} values by contestant: pawl, sqlite, leveldb, lmdb, raw, baseline
 * @property {string} [best] the best peer
 * @property {number} [ratio] ours to the best peer; above 1 we are better
 * @property {number} [low] smallest and largest ratio within one round
 * @property {number} [high]
 * @property {number} [floor] what the ratio, or ours where there is no ratio, must reach
 * @property {boolean} [isLimit] the floor is a maximum
 * @property {string} [note]
 */

const NO_PEER = new Set(['pawl', 'raw']);

/**
 * A row of rates from alternated contestants, one of them named 'pawl'.
 * @param {Pick<Row, 'bench' | 'row' | 'unit' | 'floor' | 'note'>} about
 * @param {Outcome[]} outcomes
 * @returns {Row}
 */
export function rateRow(about, outcomes) {
  const values = Object.fromEntries(outcomes.map(({ name, rate }) => [name, rate]));
  const ours = outcomes.find(({ name }) => name === 'pawl');
  const peers = outcomes.filter(({ name }) => !NO_PEER.has(name));
  const best = peers.toSorted((a, b) => b.rate - a.rate)[0];
  if (ours === undefined || best === undefined) return { ...about, values };
  const perRound = ours.rates.map((rate, round) => rate / best.rates[round]);
  return {
    ...about,
    values,
    best: best.name,
    ratio: ours.rate / best.rate,
    low: Math.min(...perRound),
    high: Math.max(...perRound),
  };
}

/**
 * Renames outcomes, so that one alternation serves several rows.
 * @param {Outcome[]} outcomes
 * @param {Record<string, string>} names column by name of the outcome; others are left out
 * @returns {Outcome[]}
 */
export function columns(outcomes, names) {
  return outcomes
    .filter(({ name }) => name in names)
    .map((outcome) => ({ ...outcome, name: names[outcome.name] }));
}

/**
 * A row where less is better, without rounds.
 * @param {Pick<Row, 'bench' | 'row' | 'unit' | 'floor' | 'isLimit' | 'note'>} about
 * @param {Record<string, number>} values
 * @returns {Row}
 */
export function costRow(about, values) {
  const peers = Object.entries(values).filter(
    ([name, value]) => !NO_PEER.has(name) && Number.isFinite(value),
  );
  const best = peers.toSorted((a, b) => a[1] - b[1])[0];
  if (values['pawl'] === undefined || best === undefined) return { ...about, values };
  return { ...about, values, best: best[0], ratio: best[1] / values['pawl'] };
}

/**
 * @param {Row} row
 * @returns {boolean | undefined} undefined where there is nothing to compare
 */
export function meetsFloor(row) {
  if (row.floor === undefined || row.values['pawl'] === undefined) return undefined;
  if (row.isLimit === true) return row.values['pawl'] <= row.floor;
  return (row.ratio ?? row.values['pawl']) >= row.floor;
}
