/* The columns of the table of candidates, in their order. */
import { h } from "../core/dom.js";
import { measure } from "../core/format.js";
import { pinOf } from "../core/marks.js";
import { allMetrics, valueOf } from "../core/metrics.js";

const column = (metric) => ({
  name: metric.name,
  title: metric.heading,
  right: true,
  optional: metric.rare,
  metric,
  show: (candidate) => measure(valueOf(candidate, metric), metric.name),
});

/**
 * `show(candidate, table)` gives the content of a cell: text, an element, or a list of them.
 * The table cannot be sorted by `fixed` columns. `optional` columns are shown only if they have numbers.
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
  ...allMetrics()
    .filter(({ source }) => source !== "trial")
    .map(column),
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
  ...allMetrics()
    .filter(({ source }) => source === "trial")
    .map(column),
];
