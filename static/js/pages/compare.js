/* The page that compares searches. The address names the searches and the axes. */
import { api } from "../core/api.js";
import { h, kindLabel, saveRows, setText } from "../core/dom.js";
import { duration, number } from "../core/format.js";
import { costMetrics } from "../core/metrics.js";
import { Doorbell, liveState } from "../core/live.js";
import { UrlState } from "../core/state.js";
import { linesOf } from "../compare/looks.js";
import { BestPlot, FrontsPlot, VolumesPlot } from "../compare/plots.js";

const state = new UrlState({ searches: "", metric: "", logx: "", along: "evaluations", value: "score" });
const place = (name) => document.querySelector(`[data-${name}]`);
const most = Number(place("compare").dataset.most);
const add = place("add");
const plots = {};
let known = [];
let missing = []; // numbers in the address that are not the user's searches

const named = () => [
  ...new Set(
    state
      .get("searches")
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean),
  ),
];
const isNumber = (part) => /^\d{1,15}$/.test(part);
const chosen = () =>
  named()
    .filter(isNumber)
    .map(Number)
    .filter((id) => !missing.includes(id));
const searchPath = (id) => `/searches/${id}/`;

function choose(ids) {
  state.set("searches", ids.join());
  bell.ring();
}

function table(head, rows) {
  const cells = (tag, row) =>
    row.map((cell, at) => h(tag, { class: at ? "right" : null, scope: tag === "th" ? "col" : null }, cell));
  return h(
    "table",
    { class: "data" },
    h("thead", {}, h("tr", {}, ...cells("th", head))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...cells("td", row)))),
  );
}

function showChosen(data) {
  const drawn = new Map(
    data.lines.flatMap((line) => (line.group?.searches ?? [line.search.id]).map((id) => [id, line])),
  );
  place("chosen").replaceChildren(
    ...data.searches.map((search) =>
      h(
        "div",
        { class: "legend-entry" },
        h("i", { class: "swatch", "aria-hidden": "true", dataset: { colour: drawn.get(search.id).look.colour } }),
        h("a", { href: searchPath(search.id) }, search.name),
        h("span", { class: "chip", dataset: { status: search.status } }, search.status),
        h(
          "span",
          { class: "muted small" },
          `${kindLabel(search.algorithm)} · ${kindLabel(search.estimator)} · seed ${search.seed}`,
        ),
        h(
          "button",
          {
            class: "button quiet small",
            type: "button",
            "aria-label": `Leave out ${search.name}`,
            onclick: () => choose(chosen().filter((id) => id !== search.id)),
          },
          "Leave out",
        ),
      ),
    ),
  );
}

function showResults(data) {
  const truth = data.searches.some((search) => search.best_truth !== null);
  const final = data.searches.some((search) => search.best_final_score !== null);
  const head = [
    "Search",
    data.searches.some((search) => search.chosen_by) ? "Score of the best" : "Best score",
    ...(final ? ["Its final score"] : []),
    ...(truth ? ["Its truth"] : []),
    "Front",
    "Hypervolume",
    "Evaluations",
    "Charged",
  ];
  const values = (search) => [
    number(search.best_score, 6),
    ...(final ? [number(search.best_final_score, 6)] : []),
    ...(truth ? [number(search.best_truth, 6)] : []),
    number(search.front.length),
    number(search.hypervolume, 5),
    number(search.evaluations),
    duration(search.seconds),
  ];
  place("table").replaceChildren(
    table(
      head,
      data.searches.map((search) => [h("a", { href: searchPath(search.id) }, search.name), ...values(search)]),
    ),
  );
  place("results-csv").onclick = () => {
    const names = [
      "search",
      "name",
      "best_score",
      "best_final_score",
      "best_truth",
      "front",
      "hypervolume",
      "evaluations",
      "seconds",
    ];
    saveRows("comparison.csv", [
      names,
      ...data.searches.map((s) => [
        s.id,
        s.name,
        s.best_score,
        s.best_final_score,
        s.best_truth,
        s.front.length,
        s.hypervolume,
        s.evaluations,
        s.seconds,
      ]),
    ]);
  };
}

function showSettings(data) {
  const same = h(
    "p",
    { class: "muted" },
    data.searches.length > 1 ? "The searches have the same settings." : "Add another search to see what differs.",
  );
  const rows = data.settings.map(({ path, values }) => [h("code", {}, path), ...values]);
  place("settings").replaceChildren(
    rows.length ? table(["Setting", ...data.searches.map((search) => search.name)], rows) : same,
  );
}

function offer(ids) {
  const free = known.filter(({ id }) => !ids.includes(id));
  add.replaceChildren(
    h("option", { value: "" }, free.length ? "choose …" : "no other search"),
    ...free.map((search) => h("option", { value: String(search.id) }, `${search.name} (${search.id})`)),
  );
  add.disabled = !free.length || ids.length >= most;
}

function leftOut() {
  const parts = named().filter((part) => !isNumber(part) || missing.includes(Number(part)));
  return parts.length ? [`Not shown, because you have no such search: ${parts.join(", ")}.`] : [];
}

function complain(text) {
  place("error").hidden = !text;
  setText(place("error").firstElementChild, text);
}

function warn(texts) {
  place("warnings").hidden = !texts.length;
  place("warnings").firstElementChild.replaceChildren(...texts.map((text) => h("li", {}, text)));
}

function show(data) {
  data.lines = linesOf(data);
  for (const search of data.searches) search.candidates = "/candidates/";
  const metrics = costMetrics().filter(({ name, source }) => name === data.metric || source !== "table");
  const control = document.querySelector("[name=metric]");
  control.replaceChildren(...metrics.map(({ name, label }) => h("option", { value: name }, label)));
  control.value = data.metric;
  const truths = data.searches.some((search) => search.best_truth !== null);
  document.querySelector("[name=value]").parentElement.hidden = !truths;
  if (!truths) state.values.value = "score";
  warn([...leftOut(), ...data.warnings]);
  showChosen(data);
  showSettings(data);
  showResults(data);
  plots.fronts ??= new FrontsPlot(document.getElementById("fronts"));
  plots.volumes ??= new VolumesPlot(document.getElementById("volumes"));
  plots.best ??= new BestPlot(document.getElementById("best"));
  for (const plot of Object.values(plots)) plot.show(data, state);
}

let drawn = "";

async function load() {
  const ids = chosen();
  if (!known.length) {
    known = (await api("searches/", { params: { page_size: 200 } })).results;
    if (!ids.length) place("empty").hidden = false;
  }
  offer(ids);
  place("empty").hidden = ids.length > 0;
  place("plots").hidden = place("results").hidden = !ids.length;
  if (!ids.length) {
    warn(leftOut());
    return place("chosen").replaceChildren();
  }
  const asked = JSON.stringify(state.values);
  try {
    const data = await api("comparisons/", {
      params: { searches: ids.join(), missing: "leave_out", metric: state.get("metric") },
    });
    complain("");
    missing.push(...data.missing);
    const answer = asked + JSON.stringify(data);
    if (answer !== drawn) show(data);
    drawn = answer;
  } catch (error) {
    if (!error.status) throw error;
    place("plots").hidden = place("results").hidden = true;
    place("chosen").replaceChildren();
    drawn = "";
    complain(error.message);
  }
}

const online = liveState(place("live"));
online("waiting");
const bell = new Doorbell("/ws/searches/", load, { state: online });
for (const name of ["metric", "logx", "along", "value"])
  state.bind(document.querySelector(`[name=${name}]`), name, () => bell.ring());
add.addEventListener("change", () => add.value && choose([...chosen(), Number(add.value)]));
bell.ring();
