/* The workers at work and the tail of the event log. */
import { api } from "../core/api.js";
import { h } from "../core/dom.js";
import { ago, clock, number, plural } from "../core/format.js";

const BRIEF = 6; // workers that are shown in brief
const LINES = 200; // of the log that stay on the page

export async function showWorkers(place, search) {
  const found = await api("workers/");
  const workers = found.results ?? found;
  if (!workers.length) {
    place.replaceChildren(
      h("div", { class: "empty" }, h("p", {}, "No worker has reported yet. Queued work starts when one does.")),
    );
    return;
  }
  const rows = workers.map((worker) =>
    h(
      "tr",
      {},
      h("td", {}, worker.name),
      h(
        "td",
        {},
        h(
          "span",
          { class: "chip", dataset: { status: worker.alive ? "alive" : "lost" } },
          worker.alive ? "alive" : "lost",
        ),
      ),
      h("td", {}, worker.device || "–"),
      h("td", { class: "right" }, `${number(Math.round(worker.memory_mb))} MB`),
      h(
        "td",
        { class: "arch mono", title: worker.current ?? "" },
        worker.current ? worker.current : worker.alive ? "idle" : "–",
      ),
      h(
        "td",
        {},
        worker.current && worker.search !== search ? `search ${worker.search}` : worker.current ? "this search" : "",
      ),
      h("td", {}, ago(worker.seen_at)),
    ),
  );
  const head = ["Worker", "State", "Device", "Memory", "Scoring now", "For", "Seen"].map((name) =>
    h("th", { scope: "col", class: name === "Memory" ? "right" : null }, name),
  );
  place.replaceChildren(
    h(
      "div",
      { class: "table-wrap" },
      h("table", { class: "data" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)),
    ),
  );
}

/** The workers in brief while a search is active, this search's first. */
export async function showWork(card, search, active) {
  card.hidden = !active;
  if (!active) return;
  const found = await api("workers/");
  const mine = (worker) => Boolean(worker.current) && worker.search === search;
  const workers = (found.results ?? found).sort((a, b) => mine(b) - mine(a) || Number(b.alive) - Number(a.alive));
  const doing = (worker) =>
    !worker.alive ? "lost" : mine(worker) ? worker.current : worker.current ? `search ${worker.search}` : "idle";
  const items = workers
    .slice(0, BRIEF)
    .map((worker) =>
      h(
        "li",
        {},
        h("span", { class: "chip", dataset: { status: worker.alive ? "alive" : "lost" } }, worker.name),
        h(
          "span",
          { class: "muted small num" },
          [worker.device, `${number(Math.round(worker.memory_mb))} MB`].filter(Boolean).join(", "),
        ),
        h("span", { class: "mono small clip", title: doing(worker) }, doing(worker)),
      ),
    );
  const more = workers.length - items.length;
  if (more > 0) items.push(h("li", { class: "muted small" }, `and ${plural(more, "other")}`));
  const none = h("li", { class: "muted" }, "No worker has reported yet. Queued work starts when one does.");
  card.querySelector("[data-work]").replaceChildren(...(items.length ? items : [none]));
}

/** The log, newest first; keeps its place while the user reads further down. */
export class EventLog {
  constructor(place) {
    this.list = h("ol", {});
    this.empty = h("p", { class: "empty" }, "Nothing has happened yet.");
    place.append(this.empty, this.list);
  }

  add(events) {
    const told = events.filter((event) => event.message).slice(-LINES);
    if (!told.length) return;
    this.empty.hidden = true;
    for (const event of told) {
      const line = h(
        "li",
        { dataset: { kind: event.kind } },
        h("time", { datetime: event.created_at }, clock(event.created_at)),
        h("span", { class: "kind" }, event.kind),
        h("p", {}, event.message),
      );
      this.list.prepend(line);
    }
    while (this.list.childElementCount > LINES) this.list.lastElementChild.remove();
  }
}
