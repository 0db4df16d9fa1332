/* The workers: all of them as a table, and in brief while the search is active. */
import { h } from "../core/dom.js";
import { ago, number, plural } from "../core/format.js";

const BRIEF = 6; // workers that are shown in brief

/** Shows an answer of `workers/` as a table; `search` is the number of the page's search. */
export function showWorkers(place, search, found) {
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
  const head = ["Worker", "State", "Device", "Memory", "Scoring now", "For", "Last report"].map((name) =>
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

/** Shows an answer of `workers/` in brief, the workers at this search first. */
export function showWork(card, search, found) {
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
