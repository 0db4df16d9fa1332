/* Score against cost, or any two columns: the front, single candidates, and counts where they lie dense. */
import { columns } from "../core/binary.js";
import { axis, Chart, nothing, saveMenu, tooltip } from "../core/charts.js";
import { setText } from "../core/dom.js";
import { number, optimumOf } from "../core/format.js";
import { AXES, staircase } from "./axes.js";
import { caption } from "./caption.js";
import { cellAt, cellRange, cellsFor, densitySeries, picture } from "./density.js";
import { PointTips } from "./tips.js";
import { PlotWindow } from "./window.js";

const SETTLED = 160; // ms after the last turn of the wheel
const LARGE = 300; // points; more are drawn in one stroke
const BOXES = { infeasible: "infeasible", logx: "log_x", logy: "log_y", outliers: "outliers" };

/** A value axis, or a logarithmic one with a handful of labels also where it spans less than a power of ten. */
function kind(log, low, high) {
  const decades = Math.log10(high / low);
  return log ? { type: "log", logBase: decades >= 1.5 ? 10 : 10 ** (decades / 5) } : { type: "value" };
}

export class ParetoPlot {
  /** `open(id)` opens a candidate; `select(range or null)` narrows the table; `replay` knows parameters of the past; `changed()`: other axes. */
  constructor(root, search, state, { open, select, replay, changed }) {
    Object.assign(this, { root, id: search, state, select, replay, changed, budget: null, search: null, found: null, canvases: {} });
    const label = "Scatter plot with the Pareto front; the table of candidates below holds the same numbers.";
    this.chart = new Chart(root.querySelector(".chart"), (c) => this.option(c), { label });
    this.tips = new PointTips(search, this);
    this.window = new PlotWindow(this.chart, { axes: () => this.axes(), moved: (window) => this.look(window), selected: (range) => this.brush(range) });
    this.chart.on("click", (event) => !this.window.dragged && event.data?.[3] !== undefined && open(event.data[3]));
    this.chart.onClick((event) => this.clickCell(event));
    for (const name of ["metric", "value"]) state.bind(root.querySelector(`[name=${name}]`), name, () => this.anew());
    for (const name of Object.keys(BOXES)) state.bind(root.querySelector(`[name=${name}]`), name, () => this.anew());
    const zoom = { in: () => this.window.zoom(0.6), out: () => this.window.zoom(1 / 0.6), reset: () => this.whole() };
    for (const button of root.querySelectorAll("[data-zoom]")) button.addEventListener("click", zoom[button.dataset.zoom]);
    saveMenu(root.querySelector("[data-save]"), this.chart, "pareto", () => this.csv());
  }

  get metric() {
    return this.state.get("metric") || this.search?.cost_metric || "madds_m";
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
    return ["queued", "running", "pausing", "stopping"].includes(this.search?.status);
  }

  axes() {
    return { view: this.shown ?? this.found?.header.view ?? [0, 1, 0, 1], log: [this.state.get("logx") === "1", this.state.get("logy") === "1"] };
  }

  /** Other axes: the whole of them, and no rectangle of the old ones. */
  anew() {
    this.state.set("window", "");
    if (this.selection) this.brush(null);
    this.changed();
    return this.load().catch(() => {});
  }

  /** Shows a budget as a line; `{metric, cost}`. */
  mark(budget) {
    const same = (this.budget?.cost ?? null) === budget.cost && (budget.cost === null || this.budget.metric === budget.metric);
    this.budget = budget;
    if (this.found && !same) this.chart.draw();
  }

  whole() {
    this.state.set("window", "");
    return this.load().catch(() => {});
  }

  /** Shows another part; its cells are counted anew once the user rests. */
  look(window) {
    this.state.set("window", window.map((end) => Number(end.toPrecision(7))).join());
    this.chart.draw();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.load().catch(() => {}), SETTLED);
  }

  brush(range) {
    this.state.set("within", range ? range.map((end) => Number(end.toPrecision(6))).join() : "");
    this.chart.draw();
    this.select(this.selection);
  }

  async load() {
    (await this.read())?.();
  }

  /** Gives what shows the answer; nothing when another question came in between. */
  async read() {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    const params = { x: this.state.get("metric") || this.search?.cost_metric, y: this.value, window: this.state.get("window"), ...this.replay.params() };
    for (const [name, given] of Object.entries(BOXES)) if (this.state.get(name) === "1") params[given] = "1";
    const [width, height] = this.chart.size;
    params.cells = cellsFor(width - 82, height - 80).join();
    try {
      const found = await columns(`searches/${this.id}/plot/`, { params, signal: request.signal });
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

  /** Offers only axes that have numbers. */
  offer(known) {
    const key = [...known, this.metric, this.value].join();
    if (key === this.offered) return;
    this.offered = key;
    for (const name of ["metric", "value"]) {
      const select = this.root.querySelector(`[name=${name}]`);
      for (const option of select.options) option.hidden = option.disabled = !known.includes(option.value) && option.value !== this[name];
      select.value = this[name];
    }
  }

  rows(part, keep = () => true) {
    const { [`${part}_x`]: x, [`${part}_y`]: y, [`${part}_number`]: numbers, [`${part}_id`]: ids } = this.found;
    const rows = [];
    for (let at = 0; at < x.length; at += 1) if (keep(at)) rows.push([x[at], y[at], numbers[at], ids[at]]);
    return rows;
  }

  option(c) {
    if (!this.found) return {};
    const { header } = this.found;
    const refusedToo = this.state.get("infeasible") === "1";
    if (!header.feasible && !(refusedToo && header.infeasible)) {
      return nothing(c, header.infeasible ? "No scored network meets every limit yet; “Infeasible” shows the others." : "No network has a score yet.");
    }
    const { view, log } = this.axes();
    const [x0, x1, y0, y1] = view;
    return {
      grid: { left: 62, right: 20, top: 34, bottom: 46 },
      legend: { top: 0, left: 56, icon: "circle", itemWidth: 9, itemHeight: 9, textStyle: { color: c.muted, fontSize: 12 }, inactiveColor: c.grey, selectedMode: false, data: this.legend(refusedToo) },
      xAxis: axis(c, AXES[this.metric].axis, { ...kind(log[0], x0, x1), min: x0, max: x1 }),
      yAxis: axis(c, AXES[this.value].axis, { ...kind(log[1], y0, y1), nameGap: 46, min: y0, max: y1 }),
      tooltip: tooltip(c, { trigger: "item", formatter: (event, ticket, later) => this.tips.show(event, ticket, later) }),
      series: [...this.dense(c, refusedToo), ...this.single(c, refusedToo), ...this.frontSeries(c)],
    };
  }

  legend(refusedToo) {
    return ["Feasible", ...(refusedToo ? ["Infeasible"] : []), "Pareto front", ...(this.found.header.ties ? ["Near tie"] : [])];
  }

  dense(c, refusedToo) {
    const kinds = [["cell", "Feasible, counted", c.blue], ...(refusedToo ? [["refused", "Infeasible, counted", c.grey]] : [])];
    return kinds
      .filter(([part]) => this.found[`${part}_index`].length)
      .map(([part, name, colour]) => {
        const { [`${part}_index`]: index, [`${part}_count`]: counts } = this.found;
        this.canvases[part] = picture(this.found.header.cells, index, counts, colour, this.canvases[part]);
        return densitySeries(name, this.canvases[part], this.found.header.view);
      });
  }

  single(c, refusedToo) {
    const { point_feasible: feasible } = this.found;
    const points = { type: "scatter", symbolSize: 6, cursor: "pointer", clip: true, z: 2, large: true, largeThreshold: LARGE };
    const marks = { markLine: this.lines(c), markArea: this.areas(c) };
    const series = [{ ...points, name: "Feasible", data: this.rows("point", (at) => feasible[at]), itemStyle: { color: c.blue, opacity: 0.62 }, ...marks }];
    if (refusedToo) series.unshift({ ...points, name: "Infeasible", symbol: "emptyTriangle", data: this.rows("point", (at) => !feasible[at]), itemStyle: { color: c.grey, opacity: 0.8 } });
    return series;
  }

  frontSeries(c) {
    const data = this.rows("front");
    const { front_tie: ties } = this.found;
    const many = data.length > 60;
    const line = {
      name: "Pareto front", type: "line", step: staircase(this.metric), data, symbol: "circle", symbolSize: many ? 6 : 9, showAllSymbol: true, clip: true,
      lineStyle: { color: c.orange, width: 2 }, itemStyle: { color: c.orange, borderColor: c.surface, borderWidth: many ? 0.75 : 1.5 }, z: 5, cursor: "pointer",
    };
    const tied = data.filter((_, at) => ties[at]);
    const hollow = { name: "Near tie", type: "scatter", data: tied, symbol: "circle", symbolSize: many ? 6 : 9, itemStyle: { color: c.surface, borderColor: c.orange, borderWidth: 1.75 }, z: 6, clip: true, cursor: "pointer" };
    return tied.length ? [line, hollow] : [line];
  }

  lines(c) {
    const data = [];
    const label = (text) => ({ formatter: text, color: c.muted, fontSize: 11 });
    const optimum = this.search?.table_optimum;
    if (this.value === "truth" && optimum) {
      data.push({ yAxis: optimum.truth, label: { ...label(optimumOf(optimum)), position: "insideStartTop" }, lineStyle: { color: c.purple, type: "dashed" } });
    }
    if (this.budget?.metric === this.metric && this.budget.cost !== null) {
      data.push({ xAxis: this.budget.cost, label: { ...label("budget"), position: "insideEndTop", rotate: 0 }, lineStyle: { color: c.green, type: "solid", width: 1.5 } });
    }
    return { silent: true, symbol: "none", data };
  }

  /** The objective's target range, where this is its axis, and the user's rectangle. */
  areas(c) {
    const data = [];
    const { cost_metric: metric, lo, hi } = this.search?.config?.objective ?? {};
    const { view } = this.axes();
    if (metric === this.metric && (lo ?? hi ?? null) !== null) {
      data.push([{ xAxis: lo ?? view[0], itemStyle: { color: c.green, opacity: 0.07 } }, { xAxis: hi ?? view[1] }]);
    }
    if (this.selection) {
      const [x0, x1, y0, y1] = this.selection;
      data.push([{ coord: [x0, y0], itemStyle: { color: c.accent, opacity: 0.12, borderColor: c.accent, borderWidth: 1 } }, { coord: [x1, y1] }]);
    }
    return { silent: true, data };
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
    const names = ["kind", "number", this.metric, this.value, "on_front", "count", `${this.metric}_to`, `${this.value}_to`];
    const rows = this.rows("front").map(([x, y, n]) => ["front", n, x, y, true, 1, "", ""]);
    for (const [x, y, n] of this.rows("point")) if (!front.has(n)) rows.push(["candidate", n, x, y, false, 1, "", ""]);
    this.found.cell_index.forEach((index, at) => {
      const [x0, x1, y0, y1] = cellRange(header.cells, header.view, this.axes().log, index);
      rows.push(["cell", "", x0, y0, false, this.found.cell_count[at], x1, y1]);
    });
    return [names, ...rows];
  }
}
