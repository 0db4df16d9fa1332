/* The columns of the table of candidates, in their order. */
import { h } from "../core/dom.js";
import { cost, number, percent } from "../core/format.js";
import { pinOf } from "../core/marks.js";

/**
 * `show(candidate, table)` gives the content of a cell: text, an element, or a list of them.
 * `fixed` columns cannot be sorted by, `optional` ones are shown only where they have numbers.
 */
export const COLUMNS = [
  { name: "number", title: "#", right: true, show: (c) => h("a", { href: `/candidates/${c.id}/` }, String(c.number)) },
  { name: "pinned", title: "Pin", fixed: true, show: (c) => pinOf(c) },
  {
    name: "arch",
    title: "Architecture",
    show: (c) => [
      h("a", { href: `/candidates/${c.id}/`, class: "mono", title: c.arch }, c.arch),
      ...c.tags.map((tag) => h("span", { class: "tag plain" }, tag)),
    ],
    fixed: true,
    className: "arch",
  },
  {
    name: "status",
    title: "Status",
    fixed: true,
    show: (c) => h("span", { class: "chip", dataset: { status: c.status }, title: c.error || null }, c.status),
  },
  { name: "score", title: "Score", right: true, show: (c) => number(c.score, 5) },
  { name: "final_score", title: "Final score", right: true, optional: true, show: (c) => number(c.final_score, 5) },
  { name: "truth", title: "Truth", right: true, optional: true, show: (c) => number(c.truth, 5) },
  {
    name: "valid_accuracy",
    title: "Valid. accuracy",
    right: true,
    optional: true,
    show: (c) => percent(c.valid_accuracy),
  },
  {
    name: "trained_valid_accuracy",
    title: "Trained valid.",
    right: true,
    optional: true,
    show: (c) => percent(c.trained_valid_accuracy),
  },
  {
    name: "trained_test_accuracy",
    title: "Trained test",
    right: true,
    optional: true,
    show: (c) => percent(c.trained_test_accuracy),
  },
  { name: "madds_m", title: "Multiply-adds", right: true, show: (c) => cost(c.costs.madds_m, "madds_m") },
  { name: "params_m", title: "Parameters", right: true, show: (c) => cost(c.costs.params_m, "params_m") },
  {
    name: "latency_ms",
    title: "Latency",
    right: true,
    optional: true,
    show: (c) => cost(c.costs.latency_ms, "latency_ms"),
  },
  {
    name: "activation_mb",
    title: "Activations",
    right: true,
    show: (c) => cost(c.costs.activation_mb, "activation_mb"),
  },
  {
    name: "table_cost",
    title: "Table cost",
    right: true,
    optional: true,
    show: (c) => cost(c.costs.table_cost, "table_cost"),
  },
  {
    name: "layer",
    title: "Layer",
    fixed: true,
    className: "layer",
    show: (c, table) => h("span", { title: table.layerNames[c.layer] ?? null }, table.layerNames[c.layer] ?? "–"),
  },
  {
    name: "origin",
    title: "Origin",
    className: "origin",
    fixed: true,
    show: (c) => (c.from_cache ? `${c.origin}, cached` : c.origin),
  },
  { name: "seconds", title: "Seconds", right: true, show: (c) => number(c.seconds, 3) },
];
