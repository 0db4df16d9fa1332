/* The sample of random networks: what it asks for, and what it says it takes. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { sampleCost, sampleOf, sampleSize } from "../../static/js/search/sample.js";

const SEARCH = {
  name: "Digits",
  space: { size: "15625" },
  scored: 50,
  charged_seconds: 25,
  config: {
    space: { kind: "nasbench201" },
    dataset: { kind: "digits" },
    estimator: { kind: "mote" },
    objective: { hi: 20 },
    algorithm: { kind: "layernas" },
    final: { count: 3 },
    seed: 4,
  },
};

test("the sample has the space, data, estimate and seed of the search, and no limits", () => {
  assert.deepEqual(sampleOf(SEARCH), {
    name: "Digits: random networks",
    space: { kind: "nasbench201" },
    dataset: { kind: "digits" },
    estimator: { kind: "mote" },
    seed: 4,
    algorithm: { kind: "random" },
    budget: { evaluations: 200 },
  });
});

test("small spaces are scored whole, and tiny ones not at all", () => {
  assert.deepEqual(
    ["9999999999999999999999", "200", "81", "20", "19"].map((size) => sampleSize({ size })),
    [200, 200, 81, 20, 0],
  );
});

test("the cost is the mean of the search's own trials, times the networks", () => {
  assert.match(sampleCost(SEARCH), /about 2 min of trials.*200 networks at 0\.5 s each/);
});
