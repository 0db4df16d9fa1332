/* Score against cost: every scored candidate, with the front that nothing beats. */
import { axis, Chart, INSIDE_ZOOM, nothing, robustRange, tip, tooltip } from "../core/charts.js";
import { saveText } from "../core/dom.js";
import { cost, METRICS, number, percent, plural } from "../core/format.js";
import { paretoFront } from "./store.js";

const LARGE = 4000; // beyond this ECharts draws points in bulk
export const VALUES = {
  score: { name: "Score", axis: "Score (higher is better)" },
  final_score: { name: "Final score", axis: "Final score of the finalists" },
  truth: { name: "Truth", axis: "Truth from the table (not searched on)" },
  valid_accuracy: { name: "Validation accuracy", axis: "Validation accuracy (%)" },
  trained_valid_accuracy: { name: "Trained validation accuracy", axis: "Validation accuracy after full training (%)" },
  trained_test_accuracy: { name: "Trained test accuracy", axis: "Test accuracy after full training (%)" },
};

export class ParetoPlot {
  constructor(root, store, state, open) {
    this.root = root;
    this.store = store;
    this.state = state;
    this.search = null;
    this.drawn = -1;
    const label = "Scatter plot of score against cost with the Pareto front; the table of candidates below holds the same numbers.";
    this.chart = new Chart(root.querySelector(".chart"), (c) => this.option(c), { label });
    this.chart.on("click", (event) => event.value?.[2] !== undefined && open(this.store.value("id", event.value[2])));
    const refresh = () => this.draw(true);
    for (const name of ["metric", "value"]) state.bind(root.querySelector(`[name=${name}]`), name, refresh);
    for (const name of ["infeasible", "logx", "outliers"]) state.bind(root.querySelector(`[name=${name}]`), name, refresh);
    root.querySelector("[data-png]").addEventListener("click", () => this.chart.save("pareto.png"));
    root.querySelector("[data-csv]").addEventListener("click", () => this.saveCsv());
    root.querySelector("[data-zoom]").addEventListener("click", () => this.chart.resetZoom());
  }

  get metric() {
    return this.state.get("metric") || this.search?.cost_metric || "madds_m";
  }

  get value() {
    return this.state.get("value") || "score";
  }

  /** Offers only axes that have numbers. */
  offer(search) {
    this.search = search;
    for (const [name, stored] of [["metric", (key) => this.store.has(key)], ["value", (key) => key === "score" || this.store.has(key)]]) {
      const select = this.root.querySelector(`[name=${name}]`);
      for (const option of select.options) option.hidden = option.disabled = !stored(option.value) && option.value !== this[name];
      select.value = this[name];
    }
  }

  draw(fresh = false) {
    if (!this.search || (!fresh && this.drawn === this.store.version)) return;
    this.drawn = this.store.version;
    const filled = this.rows?.length;
    this.prepare();
    this.chart.draw(fresh || !filled);
    this.caption();
  }

  prepare() {
    const { columns } = this.store;
    const x = columns[this.metric] ?? [];
    const y = columns[this.value] ?? [];
    const log = this.state.get("logx") === "1";
    const usable = this.store.scored().filter((row) => Number.isFinite(x[row]) && Number.isFinite(y[row]) && (!log || x[row] > 0));
    this.rows = usable.filter((row) => columns.feasible[row]);
    this.refused = usable.filter((row) => !columns.feasible[row]);
    this.front = paretoFront(this.rows, x, y, columns.number);
    const shown = this.state.get("infeasible") === "1" ? usable : this.rows;
    const everything = { min: null, max: null, outside: 0 };
    this.range = this.state.get("outliers") === "1" ? everything : robustRange(shown.map((row) => y[row]), this.front.map((row) => y[row]));
    this.points = (rows) => rows.map((row) => [x[row], y[row], row]);
  }

  option(c) {
    if (!this.rows) return {};
    if (!this.rows.length && this.state.get("infeasible") !== "1") {
      const text = this.refused.length ? "No scored network meets every limit yet; “Infeasible” shows the others." : "The first scored network appears here.";
      return nothing(c, text);
    }
    const log = this.state.get("logx") === "1";
    const scatter = (name, rows, colour, extra = {}) => ({
      name, type: "scatter", data: this.points(rows), symbolSize: 7, large: rows.length > LARGE, largeThreshold: LARGE,
      itemStyle: { color: colour, opacity: 0.5 }, cursor: "pointer", clip: true, ...extra,
    });
    const series = [scatter("Feasible", this.rows, c.blue, { markLine: this.optimum(c), markArea: this.band(c) })];
    if (this.state.get("infeasible") === "1") {
      series.unshift(scatter("Infeasible", this.refused, c.grey, { symbol: "emptyTriangle", symbolSize: 6 }));
    }
    series.push({
      name: "Pareto front", type: "line", step: "end", data: this.points(this.front), symbol: "circle", symbolSize: 9, showAllSymbol: true,
      lineStyle: { color: c.orange, width: 2 }, itemStyle: { color: c.orange, borderColor: c.surface, borderWidth: 1.5 }, z: 5, cursor: "pointer",
    });
    return {
      grid: { left: 62, right: 20, top: 34, bottom: 46 },
      legend: { top: 0, left: 56, icon: "circle", itemWidth: 9, itemHeight: 9, textStyle: { color: c.muted, fontSize: 12 }, inactiveColor: c.grey, selectedMode: false },
      xAxis: axis(c, METRICS[this.metric].axis, { type: log ? "log" : "value" }),
      yAxis: axis(c, VALUES[this.value].axis, { nameGap: 46, min: this.range.min, max: this.range.max }),
      dataZoom: INSIDE_ZOOM,
      tooltip: tooltip(c, { trigger: "item", formatter: (event) => this.tip(event) }),
      series,
    };
  }

  tip(event) {
    const row = event.value?.[2];
    if (row === undefined) return "";
    const at = (name) => this.store.value(name, row);
    const pairs = [["Score", number(at("score"), 5)], ["Final score", number(at("final_score"), 5)], ["Truth", number(at("truth"), 5)], ["Validation accuracy", number(at("valid_accuracy"))]];
    for (const name of ["trained_valid_accuracy", "trained_test_accuracy"]) pairs.push([VALUES[name].name, percent(at(name))]);
    for (const [metric, { name }] of Object.entries(METRICS)) pairs.push([name, cost(at(metric), metric)]);
    pairs.push(["Feasible", at("feasible") ? "yes" : "no"]);
    return tip(`Candidate ${at("number")}`, pairs);
  }

  optimum(c) {
    const best = this.search.table_optimum?.truth;
    if (this.value !== "truth" || best === undefined) return undefined;
    return {
      silent: true, symbol: "none", data: [{ yAxis: best }], lineStyle: { color: c.purple, type: "dashed" },
      label: { formatter: `best of the whole table ${number(best, 5)}`, color: c.muted, position: "insideStartTop" },
    };
  }

  /** The target range of the objective, when the x axis shows that cost. */
  band(c) {
    const { cost_metric: metric, lo, hi } = this.search.config?.objective ?? {};
    if (metric !== this.metric || ((lo ?? null) === null && (hi ?? null) === null)) return undefined;
    const style = { color: c.green, opacity: 0.07 };
    return { silent: true, itemStyle: style, data: [[{ coord: [lo ?? -Infinity, -Infinity] }, { coord: [hi ?? Infinity, Infinity] }]] };
  }

  caption() {
    const parts = [`${plural(this.rows.length, "feasible candidate")}, all drawn; ${number(this.front.length)} on the front.`];
    const hidden = this.refused.length;
    if (hidden) parts.push(this.state.get("infeasible") === "1" ? `${number(hidden)} infeasible as triangles.` : `${number(hidden)} infeasible hidden.`);
    if (this.range.outside) parts.push(`${plural(this.range.outside, "outlier")} beyond the value axis; “Outliers” shows them.`);
    const objective = this.search.config?.objective;
    if (objective && this.metric === objective.cost_metric && (objective.lo ?? objective.hi) != null) parts.push("The tinted band is the target range.");
    parts.push("Ctrl and wheel zoom; a click opens the candidate.");
    this.root.querySelector(".caption").textContent = parts.join(" ");
  }

  saveCsv() {
    const names = ["number", ...Object.keys(METRICS), ...Object.keys(VALUES), "feasible"];
    const rows = this.state.get("infeasible") === "1" ? [...this.rows, ...this.refused] : this.rows;
    const on = new Set(this.front);
    const lines = rows.map((row) => [...names.map((name) => this.store.value(name, row) ?? ""), on.has(row)].join());
    saveText("pareto.csv", [[...names, "on_front"].join(), ...lines].join("\n"));
  }
}
