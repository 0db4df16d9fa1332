/* The scatter plot: score against cost, or any other two columns, with the Pareto front. */
import { columns } from "../core/api.js";
import { Chart, saveMenu } from "../core/charts.js";
import { setText } from "../core/dom.js";
import { defaultCost } from "../core/metrics.js";
import { searchIsActive } from "../core/status.js";
import { caption } from "./caption.js";
import { cellAt, cellRange, cellsFor } from "./density.js";
import { drawing } from "./drawing.js";
import { PointTips } from "./tips.js";
import { PlotWindow } from "./window.js";

const SETTLED = 160; // ms after the last turn of the wheel
const BOXES = { infeasible: "infeasible", logx: "log_x", logy: "log_y", outliers: "outliers" };

export class ParetoPlot {
  /**
   * `open(id)` opens a candidate, `select(range or null)` narrows the table, `replay` knows the parameters of the past,
   * `load()` reads the plot again, and `changed()` runs when the user chose other axes.
   */
  constructor(root, search, state, { open, select, replay, load, changed }) {
    Object.assign(this, {
      root,
      state,
      select,
      replay,
      load,
      changed,
      budget: null,
      search: null,
      found: null,
      canvases: {},
    });
    const label = "Scatter plot with the Pareto front; the table of candidates below holds the same numbers.";
    this.chart = new Chart(root.querySelector(".chart"), (c) => drawing(this, c), { label });
    this.tips = new PointTips(search, this);
    this.window = new PlotWindow(this.chart, {
      axes: () => this.axes(),
      moved: (window) => this.look(window),
      selected: (range) => this.brush(range),
    });
    this.chart.on("click", (event) => !this.window.dragged && event.data?.[3] !== undefined && open(event.data[3]));
    this.chart.onClick((event) => this.clickCell(event));
    for (const name of ["metric", "value"])
      state.bind(root.querySelector(`[name=${name}]`), name, () => this.showOtherAxes());
    for (const name of Object.keys(BOXES))
      state.bind(root.querySelector(`[name=${name}]`), name, () => this.showOtherAxes());
    const zoom = { in: () => this.window.zoom(0.6), out: () => this.window.zoom(1 / 0.6), reset: () => this.whole() };
    for (const button of root.querySelectorAll("[data-zoom]"))
      button.addEventListener("click", zoom[button.dataset.zoom]);
    saveMenu(root.querySelector("[data-save]"), this.chart, "pareto", () => this.csv());
  }

  get metric() {
    return this.state.get("metric") || this.search?.cost_metric || defaultCost();
  }

  get value() {
    return this.state.get("value") || "score";
  }

  get shown() {
    return this.state.get("window") ? this.state.get("window").split(",").map(Number) : null;
  }

  get selection() {
    return this.state.get("within") ? this.state.get("within").split(",").map(Number) : null;
  }

  get active() {
    return this.search !== null && searchIsActive(this.search);
  }

  axes() {
    return {
      view: this.shown ?? this.found?.header.view ?? [0, 1, 0, 1],
      log: [this.state.get("logx") === "1", this.state.get("logy") === "1"],
    };
  }

  /** Shows other axes in full, without the rectangle that belonged to the old ones. */
  showOtherAxes() {
    this.state.set("window", "");
    if (this.selection) this.brush(null);
    this.changed();
    this.load();
  }

  /** Shows a budget, `{metric, cost}`, as a line. */
  mark(budget) {
    const same =
      (this.budget?.cost ?? null) === budget.cost && (budget.cost === null || this.budget.metric === budget.metric);
    this.budget = budget;
    if (this.found && !same) this.chart.draw();
  }

  whole() {
    this.state.set("window", "");
    this.load();
  }

  /** Shows another part of the plot at once, and reads the counts of its cells when the user pauses. */
  look(window) {
    this.state.set("window", window.map((end) => Number(end.toPrecision(7))).join());
    this.chart.draw();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.load(), SETTLED);
  }

  brush(range) {
    this.state.set("within", range ? range.map((end) => Number(end.toPrecision(6))).join() : "");
    this.chart.draw();
    this.select(this.selection);
  }

  /** Resolves to a function that shows the answer, or to nothing when another request came in between. */
  async read(address) {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    const params = {
      x: this.state.get("metric") || this.search?.cost_metric,
      y: this.value,
      window: this.state.get("window"),
      ...this.replay.params(),
    };
    for (const [name, given] of Object.entries(BOXES)) if (this.state.get(name) === "1") params[given] = "1";
    const [width, height] = this.chart.size;
    params.cells = cellsFor(width - 82, height - 80).join();
    try {
      const found = await columns(address, { params, signal: request.signal });
      return () => request === this.request && this.show(found);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      return undefined;
    }
  }

  show(found) {
    const first = !this.found?.header.scored;
    this.found = found;
    Object.assign(this.root.dataset, { seq: found.header.seq, scored: found.header.scored });
    this.offer(found.header.known);
    this.chart.draw(first || !found.header.scored);
    setText(this.root.querySelector(".caption"), caption(this));
  }

  /** Offers as axes only the columns that have numbers. */
  offer(known) {
    const key = [...known, this.metric, this.value].join();
    if (key === this.offered) return;
    this.offered = key;
    for (const name of ["metric", "value"]) {
      const select = this.root.querySelector(`[name=${name}]`);
      for (const option of select.options)
        option.hidden = option.disabled = !known.includes(option.value) && option.value !== this[name];
      select.value = this[name];
    }
  }

  rows(part, keep = () => true) {
    const { [`${part}_x`]: x, [`${part}_y`]: y, [`${part}_number`]: numbers, [`${part}_id`]: ids } = this.found;
    const rows = [];
    for (let at = 0; at < x.length; at += 1) if (keep(at)) rows.push([x[at], y[at], numbers[at], ids[at]]);
    return rows;
  }

  /** A click where candidates are counted narrows the table to their cell. */
  clickCell(event) {
    if (event.target?.type === "circle" || this.window.dragged || !this.found) return;
    const data = this.chart.dataAt([event.offsetX, event.offsetY]);
    if (!data) return;
    const cell = this.cell(data);
    if (cell) this.brush(cell.range);
    else if (this.selection && !event.target) this.brush(null);
  }

  cell(data) {
    const { header, cell_index: index, cell_count: counts } = this.found;
    return cellAt(header.cells, header.view, this.axes().log, index, counts, data);
  }

  csv() {
    const { header } = this.found;
    const front = new Set(this.found.front_number);
    const names = [
      "kind",
      "number",
      this.metric,
      this.value,
      "on_front",
      "count",
      `${this.metric}_to`,
      `${this.value}_to`,
    ];
    const rows = this.rows("front").map(([x, y, n]) => ["front", n, x, y, true, 1, "", ""]);
    for (const [x, y, n] of this.rows("point")) if (!front.has(n)) rows.push(["candidate", n, x, y, false, 1, "", ""]);
    this.found.cell_index.forEach((index, at) => {
      const [x0, x1, y0, y1] = cellRange(header.cells, header.view, this.axes().log, index);
      rows.push(["cell", "", x0, y0, false, this.found.cell_count[at], x1, y1]);
    });
    return [names, ...rows];
  }
}
