/* A sample of random networks, scored with a search's estimate, so that its scores get a rank among them. */
import { duration, number } from "../core/format.js";

const NETWORKS = 200;
const FEWEST = 20;

/** The number of random networks to score: 200, or all of a smaller space; 0 where these are too few for a rank. */
export function sampleSize({ size }) {
  const networks = Math.min(NETWORKS, Number(size));
  return networks < FEWEST ? 0 : networks;
}

/** The configuration of the random search: the same space, data and estimate, and no limits. */
export function sampleOf({ name, space, config: { space: options, dataset, estimator, seed } }) {
  const budget = { evaluations: sampleSize(space) };
  const label = `${name}: random networks`.slice(-200);
  return { name: label, space: options, dataset, estimator, seed, algorithm: { kind: "random" }, budget };
}

/** What the sample takes, in words, by the mean of the search's own trials. */
export function sampleCost({ space, scored, charged_seconds: seconds }) {
  const each = seconds / scored;
  return (
    `It takes about ${duration(each * sampleSize(space))} of trials, shared by all workers: ` +
    `${number(sampleSize(space))} networks at ${duration(each)} each, the mean of this search. ` +
    "Networks that are known already take no time."
  );
}
