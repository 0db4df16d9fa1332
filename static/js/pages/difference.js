/* Two networks side by side: the differences in layers, costs and scores, and both drawings with them marked. */
import { api } from "../core/api.js";
import { h, setText } from "../core/dom.js";
import { showDrawing } from "../core/drawings.js";
import { measure, number, plural } from "../core/format.js";
import { isScore, metricOf } from "../core/metrics.js";
import { at } from "../core/paths.js";

const root = document.querySelector("[data-candidate]");
const part = (name) => root.querySelector(`[data-${name}]`);
const { candidate, other } = root.dataset;

function table(heads, rows) {
  const right = (index) => (index ? "right" : null);
  const head = h("tr", {}, ...heads.map((text, index) => h("th", { scope: "col", class: right(index) }, text)));
  return h(
    "table",
    { class: "data" },
    h("thead", {}, head),
    h(
      "tbody",
      {},
      ...rows.map((cells) => h("tr", {}, ...cells.map((cell, index) => h("td", { class: right(index) }, cell)))),
    ),
  );
}

/** The difference with its sign; of costs also in percent of the other's value. */
function difference(row) {
  const sign = row.difference > 0 ? "+" : row.difference < 0 ? "−" : "±";
  const share =
    row.other && !isScore(row.name)
      ? h("small", { class: "muted" }, `${sign}${number(Math.abs((100 * row.difference) / row.other), 3)} %`)
      : null;
  return h("span", { class: "two-lines" }, `${sign}${measure(Math.abs(row.difference), row.name)}`, share);
}

function show(found) {
  const heads = ["", `#${found.candidate.number}`, `#${found.other.number}`, "Difference"];
  const rows = [...found.costs, ...found.measures].map((row) => [
    metricOf(row.name).label,
    measure(row.own, row.name),
    measure(row.other, row.name),
    difference(row),
  ]);
  part("costs").replaceChildren(table(heads, rows));
  const changed = found.layers.filter((layer) => layer.changed);
  const mono = (text) => h("span", { class: "mono" }, text);
  part("layers").replaceChildren(
    changed.length
      ? table(
          ["Layer", ...heads.slice(1, 3)],
          changed.map(({ name, own, other: its }) => [name, mono(own), mono(its)]),
        )
      : h("p", { class: "empty" }, "Both candidates are the same network."),
  );
  setText(
    part("summary"),
    `${plural(found.changed, "layer")} of ${found.layers.length} ` +
      `differ${found.changed === 1 ? "s; it is" : "; they are"} marked in both drawings.`,
  );
  for (const [side, one, two] of [
    ["own", candidate, other],
    ["other", other, candidate],
  ]) {
    const address = `/api/v1/candidates/${one}/drawing.svg?against=${two}`;
    showDrawing(root.querySelector(`[data-drawing=${side}]`), address);
    root.querySelector(`[data-save=${side}]`).href = at(address);
  }
  part("numbers").hidden = part("drawings").hidden = false;
}

try {
  show(await api(`candidates/${candidate}/difference/`, { params: { against: other } }));
} catch (error) {
  part("error").hidden = false;
  setText(part("error").firstElementChild, `The two candidates cannot be compared: ${error.message}`);
}
