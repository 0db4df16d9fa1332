/* The panel of full trainings on the search page: it starts them, and shows where the estimate was wrong. */
import { api } from "../core/api.js";
import { axis, Chart, nothing, saveMenu, tip, tooltip } from "../core/charts.js";
import { h, progressBar, setBar, setText } from "../core/dom.js";
import { number, percent, plural } from "../core/format.js";
import { at } from "../core/paths.js";
import { fetchPrepared } from "../core/prepared.js";
import { trainingIsActive } from "../core/status.js";
import { askForTraining } from "./dialog.js";
import { follow } from "./parts.js";

const LISTED = 8;
const root = document.querySelector("[data-train]");
const search = Number(root.dataset.train);
const part = (name) => root.querySelector(`[data-${name}]`);
const bars = new Map();
const chooser = part("recipe");
let groups = [];
let chosen = ""; // the name of the group that the user asked for
let group = null;
let chart = null;
let drawn = "";

const pointsOf = ({ trainings }) => trainings.filter(({ score }) => score !== null);
const nameOf = ({ described, data }) => `${described}, on ${data}`;
const alike = (points, name) => points.length > 1 && points.every((row) => row[name] === points[0][name]);

/** The ends of an axis of percentages: never beyond 100, and with room around a single value. */
const ENDS = {
  min: ({ min, max }) => (min === max ? Math.max(0, min - 10) : null),
  max: ({ min, max }) => (min === max ? Math.min(100, max + 10) : max + 0.3 * (max - min) > 100 ? 100 : null),
};

function option(c) {
  if (!group?.trainings.length) return nothing(c, "The first trained network appears here.");
  const points = pointsOf(group);
  const lines = group.inversions
    .slice(0, LISTED)
    .map(({ better, worse }) => [
      { coord: [better.score, better.valid_accuracy] },
      { coord: [worse.score, worse.valid_accuracy] },
    ]);
  return {
    graphic: [],
    grid: { left: 58, right: 20, top: 16, bottom: 46 },
    xAxis: axis(c, "Score (the estimate)"),
    yAxis: axis(c, "Trained validation accuracy (%)", { nameGap: 44, ...ENDS }),
    tooltip: tooltip(c, {
      trigger: "item",
      formatter: ({ value }) => {
        const row = value && points[value[2]];
        return row
          ? tip(`Candidate ${row.number}`, [
              ["Score", number(row.score, 5)],
              ["Validation", percent(row.valid_accuracy)],
              ["Test", percent(row.test_accuracy)],
            ])
          : "";
      },
    }),
    series: [
      {
        type: "scatter",
        symbolSize: 11,
        cursor: "pointer",
        data: points.map((row, at) => [row.score, row.valid_accuracy, at]),
        itemStyle: { color: c.blue, borderColor: c.surface, borderWidth: 1 },
        markLine: {
          silent: true,
          symbol: "none",
          data: lines,
          lineStyle: { color: c.orange, type: "dashed", width: 1.5 },
          label: { show: false },
        },
      },
    ],
  };
}

/** The reason why the orders of the networks cannot be compared; empty where they can. */
function unranked() {
  const points = pointsOf(group);
  if (points.length < 2) return "Two trained networks are needed to compare the order.";
  if (alike(points, "valid_accuracy"))
    return `All ${number(points.length)} networks reached the same accuracy: there is no order to compare.`;
  return alike(points, "score")
    ? `All ${number(points.length)} networks have the same score: there is no order to compare.`
    : "";
}

function verdict() {
  const { kendall_tau: tau, pairs, inverted } = group;
  const ranked =
    unranked() ||
    `Kendall's tau of score and trained accuracy: ${number(tau, 3)} ` +
      `over ${plural(pointsOf(group).length, "network")}; ` +
      `${number(inverted)} of ${plural(pairs, "pair")} in the wrong order${inverted ? " (the widest dashed)" : ""}.`;
  return `${ranked} ${nameOf(group)}.`;
}

function inversions() {
  if (!group.inversions.length)
    return [
      h("h3", {}, "Rank inversions"),
      h("p", { class: "muted" }, unranked() ? "None to see yet." : "None: no pair was ordered the other way round."),
    ];
  const link = ({ candidate, number: at }) => h("a", { href: `/candidates/${candidate}/` }, `#${at}`);
  const head = h(
    "tr",
    {},
    ...["Trained better", "Scored better", "Gap"].map((text, at) =>
      h("th", { scope: "col", class: at === 2 ? "right" : null }, text),
    ),
  );
  const body = group.inversions.map(({ better, worse, gap }) =>
    h(
      "tr",
      {},
      h("td", {}, link(better), ` ${percent(better.valid_accuracy)}`),
      h("td", {}, link(worse), ` ${percent(worse.valid_accuracy)}`),
      h("td", { class: "right" }, `${number(gap, 3)} pp`),
    ),
  );
  return [
    h("h3", {}, "Rank inversions"),
    h(
      "div",
      { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Rank inversions" },
      h("table", { class: "data" }, h("thead", {}, head), h("tbody", {}, ...body)),
    ),
  ];
}

function showUnderWay(trainings) {
  const place = part("under-way");
  place.className = "card-body under-way";
  place.hidden = !trainings.length;
  place.replaceChildren(
    ...trainings.map((training) => {
      const bar = bars.get(training.id) ?? progressBar(`Progress of candidate ${training.candidate.number}`);
      bars.set(training.id, bar);
      setBar(bar, training.progress);
      const state =
        training.status === "running"
          ? `${training.epoch} of ${training.epochs} epochs`
          : training.waiting || training.status;
      return h(
        "div",
        {},
        h("a", { href: `/trainings/${training.id}/` }, `Candidate ${training.candidate.number}`),
        bar,
        h("span", { class: "muted small" }, training.status === "running" ? state : "queued"),
      );
    }),
  );
  const queued = trainings.find(({ status, waiting }) => status === "queued" && waiting);
  if (queued && !trainings.some(({ status }) => status === "running"))
    place.append(h("p", { class: "muted small" }, `Queued: ${queued.waiting}.`));
}

/** Offers the groups to choose from, if there are several. The server's first one is chosen until the user chooses. */
function showChoice() {
  chooser.replaceChildren(
    ...groups.map((row) =>
      h("option", { value: nameOf(row) }, `${nameOf(row)} (${plural(row.trainings.length, "network")})`),
    ),
  );
  chooser.value = nameOf(group);
  chooser.closest("label").hidden = groups.length < 2;
}

function showCompared() {
  part("compared").hidden = !groups.length;
  part("untrained").hidden = Boolean(groups.length);
  group = groups.find((row) => nameOf(row) === chosen) ?? groups[0];
  const key = JSON.stringify([group, groups.map((row) => [nameOf(row), row.trainings.length])]);
  if (!group || key === drawn) return;
  drawn = key;
  showChoice();
  setText(part("verdict"), verdict());
  part("inversions").replaceChildren(...inversions());
  if (!chart) {
    chart = new Chart(root.querySelector(".chart"), option, {
      label: "Scatter plot of trained validation accuracy against the estimate's score.",
    });
    const names = ["number", "score", "valid_accuracy", "test_accuracy"];
    saveMenu(part("save"), chart, "estimate-against-training", () => [
      names,
      ...group.trainings.map((row) => names.map((name) => row[name])),
    ]);
    chart.on(
      "click",
      ({ value }) =>
        value?.[2] !== undefined && location.assign(at(`/candidates/${pointsOf(group)[value[2]].candidate}/`)),
    );
  }
  chart.draw(true);
}

async function load() {
  const [running, trained] = await Promise.all([
    api("trainings/", { params: { search, status: "queued,running", page_size: 100, ordering: "id" } }),
    api(`searches/${search}/trained/`),
  ]);
  showUnderWay(running.results);
  groups = trained;
  showCompared();
  return running.results.some(trainingIsActive);
}

const again = follow(load, { place: root });
chooser.addEventListener("change", () => {
  chosen = chooser.value;
  showCompared();
});
const titles = { front: "Train the Pareto front in full", buckets: "Train the best network of each bucket in full" };
for (const button of root.querySelectorAll("[data-train]")) {
  button.addEventListener("click", async () => {
    if (
      await askForTraining(
        titles[button.dataset.train],
        { search, select: button.dataset.train },
        "ownData" in root.dataset,
      )
    )
      again();
  });
}

const front = part("front");
front.addEventListener("click", (event) => fetchPrepared(event, front.lastElementChild, front.href));
