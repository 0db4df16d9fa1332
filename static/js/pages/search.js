/* The search page: reads what one search shows through the API and follows it live. */
import { api } from "../core/api.js";
import { drawable } from "../core/charts.js";
import { h } from "../core/dom.js";
import { Doorbell, liveState, paced, showDeleted } from "../core/live.js";
import { searchNote } from "../core/marks.js";
import { at } from "../core/paths.js";
import { UrlState } from "../core/state.js";
import { searchIsActive } from "../core/status.js";
import { isScore } from "../search/axes.js";
import { BudgetCard } from "../search/budget.js";
import { BucketGrid } from "../search/grid.js";
import { Header } from "../search/header.js";
import { HistoryPlot } from "../search/history.js";
import { LineagePanel } from "../search/lineage.js";
import { Notifier } from "../search/notify.js";
import { EventLog, showWork, showWorkers } from "../search/panels.js";
import { ParetoPlot } from "../search/pareto.js";
import { Replay } from "../search/replay.js";
import { CandidateTable } from "../search/table.js";
import { showTrust } from "../search/trust.js";

const EVENTS = 500;
const OPENING = 200; // lines of the log when the page opens
const KINDS = "status,round,error,log"; // events with words; the plots come whole from the server
const REST = 3; // an update that takes t ms of the page's time is followed by 3 t of quiet at least

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
const lineage = new LineagePanel(id);
const replay = new Replay(document.querySelector("[data-replay-root]"), () =>
  Promise.all([pareto.load(), search && "buckets" in search.config.algorithm ? grid.load() : null]).catch(() => {}),
);
const table = new CandidateTable(document.querySelector("#candidates"), id, state, () => pareto.brush(null));
const pareto = new ParetoPlot(document.querySelector("#pareto"), id, state, {
  open: (candidate) => location.assign(at(`/candidates/${candidate}/`)),
  select: (range) => table.narrow(range && { x: pareto.metric, y: pareto.value, range }),
  replay,
  changed: () =>
    readBudget().then(
      (show) => show?.(),
      () => {},
    ),
});
const history = new HistoryPlot(document.querySelector("#history"), id, state);
const grid = new BucketGrid(document.querySelector("#grid"), id, (...bucket) => lineage.open(...bucket), replay);
const budget = new BudgetCard(document.querySelector("#budget"), id, state, (chosen) => pareto.mark(chosen));
const log = new EventLog(document.querySelector("#events .log"));
const header = new Header((name) => (name === "delete" ? location.assign(at("/")) : bell.ring()));
const online = liveState(document.querySelector("[data-live]"));
const notifier = new Notifier(document.querySelector("[data-notify]"), id);

let cursor = null; // number of the last event that was read
let opened = 0; // events up to this number were in what the page opened with
let shown = -1; // what is drawn is as of this event
const kinds = new Set(); // of events that came; kept when a request fails
let search = null;
let busy = 0; // ms that the last update took of the page's own time
let drawnAt = 0;

/* What reads gives what shows the answer, so that all of an update is drawn in one go. */

async function readDetail() {
  pareto.search = search = await api(`searches/${id}/`);
  return () => {
    notifier.follow(search);
    header.show(search);
    document.querySelector("#grid").hidden = !("buckets" in search.config.algorithm);
    table.offerLayers(search);
    const yaml = document.querySelector("[data-yaml]");
    if (yaml.textContent !== search.yaml) yaml.textContent = search.yaml;
  };
}

async function readPlot() {
  const show = replay.at === null ? await pareto.read() : null;
  return () => {
    show?.();
    table.know(pareto.found?.header.known ?? []);
    replay.follow(search, pareto.found?.header.size ?? 0);
  };
}

/** The budget is a cost: on a score axis the card keeps to the search's own metric. */
async function readBudget() {
  const asked = state.get("metric");
  budget.axes(
    asked && !isScore(asked) ? asked : (search?.cost_metric ?? ""),
    isScore(pareto.value) ? pareto.value : "score",
  );
  return budget.read();
}

async function open() {
  const detail = readDetail();
  const rows = pareto.selection ? detail.then(() => firstRows()) : firstRows(); // a rectangle's axes may be the search's own
  const reading = Promise.all([detail, readPlot()]);
  const others = Promise.all([history.read(), grid.read(), readBudget()]);
  const charts = drawable();
  for (const show of await reading) show();
  opened = Math.min(search.event_seq, pareto.found?.header.seq ?? 0);
  for (const show of await others) show?.();
  await Promise.all([rows, charts]);
  cursor = Math.max(0, opened - OPENING);
  shown = opened;
  requestAnimationFrame(() => setTimeout(() => performance.mark("nasweb:first-view")));
  searchNote(document.querySelector("[data-note]"), search);
  refreshTrust();
}

/** Truths come with trainings and studies, which say nothing to this page: the card is asked at times of rest. */
function refreshTrust() {
  showTrust(document.querySelector("[data-trust]"), search).catch(() => {});
}

function firstRows() {
  const range = pareto.selection;
  return table.narrow(range && { x: pareto.metric, y: pareto.value, range });
}

/** Events with words after the cursor, page by page, to the log. */
async function readEvents() {
  for (;;) {
    const { results, last } = await api(`searches/${id}/events/`, {
      params: { after: cursor, limit: EVENTS, kinds: KINDS },
    });
    for (const event of results) if (event.seq > opened) kinds.add(event.kind);
    log.add(results);
    cursor = last;
    if (results.length < EVENTS) return;
  }
}

async function wake() {
  const first = cursor === null;
  if (first) await open();
  await readEvents();
  const rest = drawnAt + REST * busy - performance.now();
  if (cursor > shown && rest <= 0) await update();
  else if (cursor > shown) setTimeout(() => bell.ring(), rest);
  else if (!first && searchIsActive(search)) (await readDetail())();
  slowly.work()?.catch(() => {});
  if (state.get("tab") === "workers") await showWorkers(document.querySelector("#workers"), id);
  root.dataset.cursor = String(cursor);
}

const slowly = {
  history: paced(1000, () => history.chart.follow()),
  budget: paced(1000, readBudget),
  grid: paced(2000, () => grid.chart.follow()),
  work: paced(2000, () => showWork(document.querySelector("#work"), id, searchIsActive(search))),
};

async function update() {
  const seen = cursor;
  const rounds = kinds.has("round") || kinds.has("status");
  for (const show of await Promise.all([
    readDetail(),
    readPlot(),
    slowly.history(),
    slowly.budget(),
    rounds ? slowly.grid() : null,
    table.follow(kinds.has("status")),
  ]))
    show?.();
  if (kinds.has("status")) refreshTrust();
  kinds.clear();
  shown = seen;
  busy = pareto.chart.cost + history.chart.cost + grid.chart.cost;
  root.dataset.updates = String(Number(root.dataset.updates ?? 0) + 1);
  drawnAt = performance.now();
}

function showTab(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    document.getElementById(tab.dataset.tab).hidden = !chosen;
  }
  state.set("tab", name);
  if (name === "workers") showWorkers(document.querySelector("#workers"), id).catch(() => {});
}

const tabs = [...document.querySelectorAll("[role=tab]")];
tabs.forEach((tab, at) => {
  tab.addEventListener("click", () => showTab(tab.dataset.tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.focus();
    showTab(next.dataset.tab);
  });
});
showTab(tabs.some((tab) => tab.dataset.tab === state.get("tab")) ? state.get("tab") : "candidates");
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
