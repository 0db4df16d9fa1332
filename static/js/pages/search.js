/* The search page: a list of panels, each with what it reads, what it follows and how often; a schedule drives them. */
import { api } from "../core/api.js";
import { drawable } from "../core/charts.js";
import { h } from "../core/dom.js";
import { Doorbell, liveState, showDeleted } from "../core/live.js";
import { searchNote } from "../core/marks.js";
import { at } from "../core/paths.js";
import { EVENTS, RINGS, Schedule } from "../core/schedule.js";
import { UrlState } from "../core/state.js";
import { searchIsActive } from "../core/status.js";
import { isScore } from "../core/metrics.js";
import { BudgetCard } from "../search/budget.js";
import { EventFeed, EventLog } from "../search/events.js";
import { BucketGrid } from "../search/grid.js";
import { Header } from "../search/header.js";
import { HistoryPlot } from "../search/history.js";
import { LineagePanel } from "../search/lineage.js";
import { Notifier } from "../search/notify.js";
import { ParetoPlot } from "../search/pareto.js";
import { Replay } from "../search/replay.js";
import { CandidateTable } from "../search/table.js";
import { followTabs } from "../search/tabs.js";
import { showTrust } from "../search/trust.js";
import { showWork, showWorkers } from "../search/workers.js";

const root = document.querySelector("[data-search]");
const id = Number(root.dataset.search);
const defaults = {
  metric: "",
  value: "score",
  infeasible: "0",
  logx: "0",
  logy: "0",
  outliers: "0",
  window: "",
  within: "",
  budget: "",
  along: "evaluations",
  tab: "candidates",
  sort: "-score",
  status: "",
  feasible: "true",
  layer: "",
  search: "",
  marks: "",
  tag: "",
};
const state = new UrlState(defaults);
const home = `searches/${id}/`;
let search = null;
let arrived;
const known = new Promise((resolve) => (arrived = resolve)); // resolves once the search was read

const lineage = new LineagePanel(id);
const replay = new Replay(document.querySelector("[data-replay-root]"), () =>
  Promise.all([schedule.load("plot"), search && hasGrid() ? schedule.load("grid") : null]),
);
const table = new CandidateTable(document.querySelector("#candidates"), id, state, {
  load: () => schedule.load("table"),
  clear: () => pareto.brush(null),
});
const pareto = new ParetoPlot(document.querySelector("#pareto"), id, state, {
  open: (candidate) => location.assign(at(`/candidates/${candidate}/`)),
  select: () => table.first(),
  replay,
  load: () => schedule.load("plot"),
  changed: () => schedule.load("budget"),
});
const history = new HistoryPlot(document.querySelector("#history"), state);
const grid = new BucketGrid(document.querySelector("#grid"), (...bucket) => lineage.open(...bucket), replay);
const budget = new BudgetCard(document.querySelector("#budget"), state, {
  axes: budgetAxes,
  load: () => schedule.load("budget"),
  chosen: (chosen) => pareto.mark(chosen),
});
const header = new Header((name) => (name === "delete" ? location.assign(at("/")) : bell.ring()));
const online = liveState(document.querySelector("[data-live]"));
const notifier = new Notifier(document.querySelector("[data-notify]"), id);
const feed = new EventFeed(`${home}events/`, new EventLog(document.querySelector("#events .log")));

const PANELS = [
  {
    name: "search",
    reads: home,
    follows: EVENTS,
    idle: () => searchIsActive(search),
    read: async (address) => {
      pareto.search = search = await api(address);
      arrived();
      return showSearch;
    },
    first: 1,
  },
  {
    name: "plot",
    reads: `${home}plot/`,
    follows: EVENTS,
    read: readPlot,
    held: () => replay.at !== null,
    chart: pareto.chart,
    first: 1,
  },
  {
    name: "history",
    reads: `${home}history/`,
    follows: EVENTS,
    every: 1000,
    show: (found) => history.show(found),
    place: history.chart.element,
    chart: history.chart,
    first: 2,
  },
  {
    name: "grid",
    reads: `${home}buckets/`,
    follows: ["round", "status"],
    every: 2000,
    read: (address) => grid.read(address),
    place: grid.chart.element,
    chart: grid.chart,
    first: 2,
  },
  {
    name: "budget",
    reads: `${home}budget/`,
    follows: EVENTS,
    every: 1000,
    read: (address) => budget.read(address),
    first: 2,
  },
  {
    name: "table",
    reads: `${home}candidates/`,
    follows: EVENTS,
    urgent: ["status"],
    every: 3000,
    read: readRows,
    held: () => table.held,
    place: table.place,
    first: 2,
  },
  {
    // New truths come from trainings and studies, which do not notify this page. So a change of status reads the card.
    name: "trust",
    reads: `${home}trust/`,
    follows: ["status"],
    show: (found) => showTrust(document.querySelector("[data-trust]"), search, found),
    aside: true,
  },
  {
    name: "work",
    reads: "workers/",
    follows: RINGS,
    every: 2000,
    show: (found) => showWork(document.querySelector("#work"), id, found),
    held: () => !searchIsActive(search),
    aside: true,
  },
  {
    name: "workers",
    reads: "workers/",
    follows: RINGS,
    show: (found) => showWorkers(document.querySelector("#workers"), id, found),
    held: () => state.get("tab") !== "workers",
    aside: true,
  },
];
const schedule = new Schedule(PANELS, feed, () => bell.ring());

const hasGrid = () => "buckets" in search.config.algorithm;

function showSearch() {
  notifier.follow(search);
  header.show(search);
  document.querySelector("#grid").hidden = !hasGrid();
  document.querySelector("#work").hidden = !searchIsActive(search);
  table.offerLayers(search);
  const yaml = document.querySelector("[data-yaml]");
  if (yaml.textContent !== search.yaml) yaml.textContent = search.yaml;
  followReplay();
}

function followReplay() {
  replay.follow(search, pareto.found?.header.size ?? 0);
}

async function readPlot(address) {
  const show = await pareto.read(address);
  return () => {
    show?.();
    if (replay.at !== null) return;
    table.know(pareto.found?.header.known ?? []);
    followReplay();
  };
}

/** The budget is a cost: on a score axis the card keeps to the search's own metric. */
function budgetAxes() {
  const asked = state.get("metric");
  return {
    metric: asked && !isScore(asked) ? asked : (search?.cost_metric ?? ""),
    value: isScore(pareto.value) ? pareto.value : "score",
  };
}

/** Reads the rows inside the rectangle drawn in the plot, whose axes are known once the search was read. */
async function readRows(address) {
  if (pareto.selection) await known;
  const range = pareto.selection;
  table.narrow(range && { x: pareto.metric, y: pareto.value, range });
  return table.read(address);
}

async function open() {
  const view = schedule.open(); // asks for its data before the script of the charts is loaded
  await Promise.all([view, drawable()]);
  feed.begin(Math.min(search.event_seq, pareto.found?.header.seq ?? 0));
  requestAnimationFrame(() => setTimeout(() => performance.mark("nasweb:first-view")));
  searchNote(document.querySelector("[data-note]"), search);
  schedule.load("trust");
}

async function wake() {
  const opening = feed.cursor === null;
  if (opening) await open();
  await schedule.wake({ idle: !opening });
  root.dataset.cursor = String(feed.cursor);
  root.dataset.updates = String(schedule.updates);
}

followTabs(state, (name) => name === "workers" && schedule.load("workers"));
for (const link of document.querySelectorAll("[data-export]"))
  link.href = at(`/api/v1/searches/${id}/export/?format=${link.dataset.export}`);

online("waiting");
const bell = new Doorbell(`/ws/searches/${id}/`, wake, {
  state: online,
  gone: () => showDeleted(root, "search", { path: "/", label: "To the searches" }),
});
bell.ring();
window.addEventListener("pageshow", (event) => event.persisted && bell.ring());
document.querySelector("[data-copy-yaml]").addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(search.yaml);
  event.target.replaceChildren(h("span", {}, "Copied"));
});
