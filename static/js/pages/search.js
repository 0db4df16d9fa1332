/* The search page: reads the rows of one search through the API and follows them live. */
import { api } from "../core/api.js";
import { h } from "../core/dom.js";
import { Doorbell, liveState } from "../core/live.js";
import { UrlState } from "../core/state.js";
import { BucketGrid } from "../search/grid.js";
import { Header } from "../search/header.js";
import { HistoryPlot } from "../search/history.js";
import { LineagePanel } from "../search/lineage.js";
import { EventLog, showWorkers } from "../search/panels.js";
import { ParetoPlot } from "../search/pareto.js";
import { PointStore } from "../search/store.js";
import { CandidateTable } from "../search/table.js";

const EVENTS = 500;
const OPENING = 200; // lines of the log when the page opens
const DRAW_SHARE = 4; // a plot that takes t ms to draw rests at least 4 t

const root = document.querySelector("[data-search]");
const id = Number(root.dataset.search);
const defaults = {
  metric: "", value: "score", infeasible: "0", logx: "0", outliers: "0", along: "evaluations", tab: "candidates",
  sort: "-score", status: "", feasible: "true", layer: "", search: "",
};
const state = new UrlState(defaults);
const store = new PointStore(id);
const openCandidate = (candidate) => (location.href = `/candidates/${candidate}/`);
const lineage = new LineagePanel();
const pareto = new ParetoPlot(document.querySelector("#pareto"), store, state, openCandidate);
const history = new HistoryPlot(document.querySelector("#history"), store, state);
const grid = new BucketGrid(document.querySelector("#grid"), id, (...bucket) => lineage.open(...bucket));
const table = new CandidateTable(document.querySelector("#candidates"), store, id, state);
const log = new EventLog(document.querySelector("#events .log"));
const header = new Header((name) => (name === "delete" ? location.assign("/") : bell.ring()));
const online = liveState(document.querySelector("[data-live]"));

let cursor = null; // number of the last event that was read
let opened = 0; // events up to this number were in what the page opened with
const news = { numbers: new Set(), kinds: new Set() }; // what events told that is not loaded yet; kept when a request fails
let search = null;
let drawnAt = 0;

async function refreshDetail() {
  search = await api(`searches/${id}/`);
  pareto.search = search;
  history.search = search;
  header.show(search);
  document.querySelector("#grid").hidden = !("buckets" in search.config.algorithm);
  table.offerLayers(search.layer_names);
  const yaml = document.querySelector("[data-yaml]");
  if (yaml.textContent !== search.yaml) yaml.textContent = search.yaml;
}

async function open() {
  await refreshDetail();
  opened = search.event_seq;
  await store.loadAll();
  await Promise.all([grid.load(), table.load()]);
  cursor = Math.max(0, opened - OPENING);
}

/** Events after the cursor, page by page; the log gets them all. */
async function readEvents() {
  for (;;) {
    const { results, last } = await api(`searches/${id}/events/`, { params: { after: cursor, limit: EVENTS } });
    for (const event of results) {
      if (event.seq <= opened) continue;
      news.kinds.add(event.kind);
      if (event.kind === "candidates") event.payload.numbers.forEach((number) => news.numbers.add(number));
      if (event.kind === "error" && event.payload.candidate != null) news.numbers.add(event.payload.candidate);
    }
    log.add(results);
    cursor = Math.max(cursor, results.at(-1)?.seq ?? cursor);
    if (results.length < EVENTS || cursor >= last) return;
  }
}

async function wake() {
  const first = cursor === null;
  if (first) await open();
  await readEvents();
  const { numbers, kinds } = news;
  const active = ["queued", "running", "pausing", "stopping"].includes(search.status);
  if (numbers.size) await store.load([...numbers]);
  if (kinds.size || (!first && active)) await refreshDetail();
  if (kinds.has("round") || kinds.has("status")) await grid.load();
  if (kinds.size) await table.follow();
  numbers.clear();
  kinds.clear();
  if (state.get("tab") === "workers") await showWorkers(document.querySelector("#workers"), id);
  draw(first);
}

function draw(fresh) {
  const rest = DRAW_SHARE * (pareto.chart.cost + history.chart.cost);
  if (!fresh && performance.now() - drawnAt < rest) return;
  pareto.offer(search);
  pareto.draw(fresh);
  history.draw(fresh);
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
for (const link of document.querySelectorAll("[data-export]")) link.href = `/api/v1/searches/${id}/export/?format=${link.dataset.export}`;

online("waiting");
const bell = new Doorbell(`/ws/searches/${id}/`, wake, { state: online });
bell.ring();
window.addEventListener("pageshow", (event) => event.persisted && bell.ring());
document.querySelector("[data-copy-yaml]").addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(search.yaml);
  event.target.replaceChildren(h("span", {}, "Copied"));
});
