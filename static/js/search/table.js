/* The candidates as a table. The server sorts, filters and pages, so that a large search is as quick as a small one. */
import { api } from "../core/api.js";
import { h } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { metricOf } from "../core/metrics.js";
import { at } from "../core/paths.js";
import { COLUMNS } from "./columns.js";

const TYPED = 70; // ms after the last key

/** The filters of the API for each choice of marks. */
const MARKS = { "": { hidden: false }, pinned: { pinned: true }, hidden: { hidden: true }, all: {} };

export class CandidateTable {
  /** `load()` reads the rows again, and `clear()` drops the rectangle that was drawn in the plot. */
  constructor(root, search, state, { load, clear }) {
    this.root = root;
    this.load = load;
    this.search = search;
    this.known = [];
    this.layerNames = [];
    this.within = {};
    this.state = state;
    this.page = null; // address of a page other than the first
    this.place = root.querySelector("[data-rows]");
    let typing;
    const again = () => this.first();
    for (const name of ["status", "feasible", "layer", "marks"])
      state.bind(root.querySelector(`[name=${name}]`), name, again);
    for (const name of ["search", "tag"]) {
      state.bind(root.querySelector(`[name=${name}]`), name, () => {
        clearTimeout(typing);
        typing = setTimeout(again, TYPED);
      });
    }
    this.chip = root.querySelector("[data-within]");
    this.chip.addEventListener("click", clear);
    root.querySelector("[data-next]").addEventListener("click", () => this.turn(this.next));
    root.querySelector("[data-previous]").addEventListener("click", () => this.turn(this.previous));
  }

  get columns() {
    return COLUMNS.filter((column) => !column.optional || this.known.includes(column.name));
  }

  /** Offers the layers as a filter once they are known, in the order in which they are searched. */
  offerLayers({ layer_names: names, layers_progress: layers }) {
    const select = this.root.querySelector("[name=layer]");
    if (select.options.length > 1 || !names.length) return;
    this.layerNames = names;
    select.append(
      ...layers.map(({ layer, name }, place) => h("option", { value: String(layer) }, `${place + 1}. ${name}`)),
    );
    select.value = this.state.get("layer");
    if (this.answer) this.show(this.answer);
  }

  /** Sets the rectangle of the plot that the rows must lie in: `{x, y, range: [x0, x1, y0, y1]}`; null for all rows. */
  narrow(part) {
    this.chip.hidden = !part;
    this.within = {};
    if (part) {
      const { x, y, range } = part;
      [
        [x, range[0], range[1]],
        [y, range[2], range[3]],
      ].forEach(([name, low, high]) => Object.assign(this.within, { [`${name}_min`]: low, [`${name}_max`]: high }));
      const words = [
        [x, range[0], range[1]],
        [y, range[2], range[3]],
      ].map(([name, low, high]) => `${metricOf(name).label} ${number(low)} to ${number(high)}`);
      this.chip.textContent = `${words.join(", ")} ✕`;
      this.chip.setAttribute("aria-label", `Selected in the plot: ${words.join(", ")}. Clear`);
    }
  }

  /** The filters in force, as the API names them. */
  get filters() {
    const names = ["status", "feasible", "layer", "search", "tag"];
    return {
      ...MARKS[this.state.get("marks")],
      ...Object.fromEntries(names.map((name) => [name, this.state.get(name)]).filter(([, value]) => value)),
      ...this.within,
    };
  }

  /** Sets the links to files that hold exactly the rows that pass the filters. */
  offerFiles() {
    for (const link of this.root.querySelectorAll("[data-selection]")) {
      const query = new URLSearchParams({ format: link.dataset.selection, ...this.filters });
      link.href = at(`/api/v1/searches/${this.search}/export/?${query}`);
    }
  }

  first() {
    this.page = null;
    return this.load();
  }

  turn(address) {
    this.page = address;
    return this.load();
  }

  /** Whether the rows must stay: on a page other than the first, and under the user's pointer or focus. */
  get held() {
    return Boolean(this.page) || this.place.matches(":hover") || this.place.contains(document.activeElement);
  }

  /** Resolves to a function that shows the answer, or to nothing when another request came in between. */
  async read(first) {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    const params = { ordering: this.state.get("sort"), ...this.filters };
    this.offerFiles();
    try {
      const { signal } = request;
      const page = this.page && new URL(this.page, location.href);
      const found = page ? await api(page.pathname + page.search, { signal }) : await api(first, { params, signal });
      return () => request === this.request && this.show(found);
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      return () =>
        this.place.replaceChildren(h("p", { class: "empty" }, `The candidates could not be read: ${error.message}`));
    }
  }

  /** Takes the names of the columns that have numbers, and hides the others. */
  know(known) {
    const changed = known.join() !== this.known.join();
    this.known = known;
    if (changed && this.answer) this.show(this.answer);
  }

  show(answer) {
    this.answer = answer;
    const { results, next, previous } = answer;
    this.next = next;
    this.previous = previous;
    this.root.querySelector("[data-next]").disabled = !next;
    this.root.querySelector("[data-previous]").disabled = !previous;
    const filtered = ["status", "layer", "search", "tag", "marks", "within"].some((name) => this.state.get(name));
    const hidden =
      { true: "; the filter leaves out infeasible networks", false: "; only infeasible networks" }[
        this.state.get("feasible")
      ] ?? "";
    this.root.querySelector("[data-shown]").textContent = results.length
      ? `${plural(results.length, "row")} on this page${hidden}`
      : "";
    if (!results.length) {
      const text = filtered
        ? "No candidate passes these filters."
        : "No feasible candidate is scored. The filter “feasible” leaves out the others.";
      this.place.replaceChildren(h("p", { class: "empty" }, text));
      return;
    }
    const { columns } = this;
    const rows = results.map((candidate) =>
      h(
        "tr",
        { class: candidate.feasible ? null : "infeasible" },
        ...columns.map((column) =>
          h(
            "td",
            { class: [column.right && "right", column.className].filter(Boolean).join(" ") || null },
            column.show(candidate, this),
          ),
        ),
      ),
    );
    this.place.replaceChildren(
      h(
        "table",
        { class: "data" },
        h("thead", {}, h("tr", {}, ...columns.map((column) => this.heading(column)))),
        h("tbody", {}, ...rows),
      ),
    );
  }

  heading(column) {
    const className = column.right ? "right" : null;
    const unit = column.metric?.title ?? null;
    if (column.fixed) return h("th", { scope: "col", class: className, title: unit }, column.title);
    const sort = this.state.get("sort");
    const down = sort === `-${column.name}`;
    const up = sort === column.name;
    const turn = () => {
      this.state.set("sort", down ? column.name : `-${column.name}`);
      this.first().then(() => this.place.querySelector(`[data-sort=${column.name}]`)?.focus());
    };
    const button = h(
      "button",
      { type: "button", dataset: { sort: column.name }, onclick: turn },
      column.title,
      down ? "↓" : up ? "↑" : "",
    );
    return h(
      "th",
      { scope: "col", class: className, title: unit, "aria-sort": down ? "descending" : up ? "ascending" : null },
      button,
    );
  }
}
