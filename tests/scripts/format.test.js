import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../static/js/core/format.js";

const CATALOGUE = [
  { name: "madds_m", label: "Multiply-adds", unit: "M", digits: 4 },
  { name: "latency_ms", label: "Latency", unit: "ms", digits: 4 },
  { name: "table_cost", label: "Table cost", unit: "", digits: 4 },
  { name: "valid_accuracy", label: "Validation accuracy", unit: "%", digits: 5 },
];
globalThis.document = { getElementById: () => ({ textContent: JSON.stringify(CATALOGUE) }) };

test("a number keeps about as many significant digits as asked, and never hides its size", () => {
  const { number } = format;
  assert.equal(number(0.123456), "0.1235");
  assert.equal(number(0.123456, 2), "0.12");
  assert.equal(number(12345.678), "12,346");
  assert.equal(number(999.96), "1000");
  assert.equal(number(1234567), "1,234,567");
  assert.equal(number(1234567.8), "1.23e+6");
  assert.equal(number(0.00001234), "1.23e-5");
  assert.equal(number(-0.5), "-0.5");
  assert.equal(number(0), "0");
});

test("what is not known is a dash", () => {
  for (const unknown of [null, undefined, NaN]) assert.equal(format.number(unknown), "–");
  assert.equal(format.measure(null, "madds_m"), "–");
  assert.equal(format.percent(undefined), "–");
  assert.equal(format.duration(Infinity), "–");
  assert.equal(format.ago(null), "–");
});

test("a metric carries its unit, where it has one, and the digits of its catalogue", () => {
  assert.equal(format.measure(12.5, "madds_m"), "12.5 M");
  assert.equal(format.measure(1.25, "latency_ms"), "1.25 ms");
  assert.equal(format.measure(3, "table_cost"), "3");
  assert.equal(format.measure(91.23456, "valid_accuracy"), "91.235 %");
  assert.equal(format.measure(91.23456, "unheard_of"), "91.23");
});

test("durations change their unit as they grow", () => {
  const shown = [0, 0.05, 1, 89, 90, 5399, 5400, 172799, 172800].map(format.duration);
  assert.deepEqual(shown, ["0 s", "0.05 s", "1 s", "89 s", "2 min", "90 min", "1.5 h", "48 h", "2 d"]);
});

test("the age of a moment counts from now", () => {
  const before = (seconds) => new Date(Date.now() - 1000 * seconds).toISOString();
  assert.equal(format.ago(before(1)), "now");
  assert.equal(format.ago(before(600)), "10 min ago");
});

test("percentages and counts of things", () => {
  assert.equal(format.percent(91.23456), "91.23 %");
  assert.equal(format.plural(1, "network"), "1 network");
  assert.equal(format.plural(2000, "network"), "2,000 networks");
  assert.equal(format.plural(0, "entry", "entries"), "0 entries");
});

test("evaluations are counted against their bound, where there is one", () => {
  assert.equal(format.evaluated({ evaluated: 1200, bound: 5000 }), "1,200 / 5,000");
  assert.equal(format.evaluated({ evaluated: 7, bound: null }), "7");
});

test("a table's optimum says whether the limits were kept", () => {
  const words = (limits) => format.optimumOf({ truth: 94.123456, limits });
  assert.equal(words("none"), "table's optimum 94.123");
  assert.equal(words("met"), "table's optimum 94.123 within the limits");
  assert.equal(words("ignored"), "table's optimum 94.123, limits ignored");
});
