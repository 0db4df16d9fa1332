/* The list of searches, followed live. */
import { showActions } from "../core/actions.js";
import { api } from "../core/api.js";
import { h, kindLabel, progressBar, setBar, setText } from "../core/dom.js";
import { ago, duration, evaluated, number } from "../core/format.js";
import { Doorbell, liveState } from "../core/live.js";
import { UrlState } from "../core/state.js";
import { searchIsActive, showStatus } from "../core/status.js";

const state = new UrlState({ status: "", search: "" });
const place = document.querySelector("[data-list]");
const empty = document.querySelector("[data-empty]");
const none = document.querySelector("[data-none]");
const more = document.querySelector("[data-more]");
const compare = document.querySelector("[data-compare]");
const rows = new Map();
const ticked = new Set();
let extra = 0; // pages after the first that the user asked for

function tick(id, on) {
  if (on) ticked.add(id);
  else ticked.delete(id);
  compare.hidden = !ticked.size;
  compare.search = `?searches=${[...ticked].join()}`;
  setText(compare, `Compare ${ticked.size}`);
}

/** A search as a row. `show` writes only what changed, so that focus and hover stay. */
class Row {
  constructor(search) {
    const part = (name) => (this[name] = h("span", { class: "value" }));
    const labelled = (label, ...content) => h("div", {}, h("span", { class: "label" }, label), ...content);
    this.link = h("a", { href: `/searches/${search.id}/` });
    this.tick = h("input", {
      type: "checkbox",
      "aria-label": `Compare ${search.name}`,
      onchange: () => tick(search.id, this.tick.checked),
    });
    this.chip = h("span", { class: "chip" });
    this.about = h("div", { class: "about" });
    this.bar = progressBar(`Progress of ${search.name}`);
    this.actions = h("div", { class: "actions" });
    this.reason = h("p", { class: "reason" });
    this.element = h(
      "article",
      { class: "search-row", dataset: { id: String(search.id) } },
      h("div", { class: "head" }, h("div", { class: "title" }, this.tick, this.link, this.chip), this.about),
      labelled("Best score", part("best")),
      labelled("Evaluated", part("evaluated"), this.bar),
      labelled("Rate", part("rate")),
      labelled("Time left", part("left")),
      this.actions,
      this.reason,
    );
  }

  show(search) {
    const active = searchIsActive(search);
    setText(this.link, search.name);
    showStatus(this.chip, search);
    setText(
      this.about,
      [
        search.space.label,
        search.dataset,
        kindLabel(search.algorithm),
        kindLabel(search.estimator),
        `created ${ago(search.created_at)}`,
      ]
        .filter(Boolean)
        .join(" · "),
    );
    setText(this.best, number(search.best?.score, 5));
    setText(this.evaluated, evaluated(search));
    setText(this.rate, active && search.rate_per_minute !== null ? `${number(search.rate_per_minute, 3)} / min` : "–");
    setText(this.left, active ? duration(search.eta_seconds) : "–");
    setBar(this.bar, search.progress);
    this.reason.hidden = search.status !== "failed";
    setText(this.reason, search.status_reason ?? "");
    showActions(this.actions, search, () => bell.ring(), { visible: 2, small: true });
  }
}

async function load() {
  const params = { status: state.get("status"), search: state.get("search") };
  let page = await api("searches/", { params });
  const found = [...page.results];
  for (let at = 0; at < extra && page.next; at += 1) {
    const address = new URL(page.next, location.href);
    page = await api(address.pathname + address.search);
    found.push(...page.results);
  }
  const filtered = Boolean(params.status || params.search);
  empty.hidden = found.length > 0 || filtered;
  none.hidden = found.length > 0 || !filtered;
  place.hidden = !found.length;
  more.hidden = !page.next;
  const shown = new Set(found.map((search) => search.id));
  for (const [id, row] of rows) {
    if (shown.has(id)) continue;
    row.element.remove();
    rows.delete(id);
    tick(id, false);
  }
  found.forEach((search, at) => {
    let row = rows.get(search.id);
    if (!row) {
      row = new Row(search);
      rows.set(search.id, row);
    }
    row.show(search);
    if (place.children[at] !== row.element) place.insertBefore(row.element, place.children[at] ?? null);
  });
}

const online = liveState(document.querySelector("[data-live]"));
online("waiting");
const bell = new Doorbell("/ws/searches/", load, { state: online });
let typing;
state.bind(document.querySelector("[name=status]"), "status", () => bell.ring());
state.bind(document.querySelector("[name=search]"), "search", () => {
  clearTimeout(typing);
  typing = setTimeout(() => bell.ring(), 200);
});
more.addEventListener("click", () => {
  extra += 1;
  bell.ring();
});
bell.ring();
