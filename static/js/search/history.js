/* The best score so far, against evaluations or against charged seconds. */
import { axis, Chart, INSIDE_ZOOM, nothing, tip, tooltip } from "../core/charts.js";
import { duration, number, plural } from "../core/format.js";

export class HistoryPlot {
  constructor(root, store, state) {
    this.root = root;
    this.store = store;
    this.state = state;
    this.search = null;
    this.drawn = -1;
    const label = "Line chart of the best feasible score so far.";
    this.chart = new Chart(root.querySelector(".chart"), (c) => this.option(c), { label });
    state.bind(root.querySelector("[name=along]"), "along", () => this.draw(true));
    root.querySelector("[data-png]").addEventListener("click", () => this.chart.save("best-so-far.png"));
  }

  draw(fresh = false) {
    if (!this.search || (!fresh && this.drawn === this.store.version)) return;
    this.drawn = this.store.version;
    const filled = this.steps?.length;
    this.prepare();
    this.chart.draw(fresh || !filled);
    const steps = plural(this.steps.length, "improvement");
    const along = this.seconds ? "the trials' seconds, added up in the order of their numbers" : "scored candidates in the order of their numbers";
    const truth = this.truth ? " The dashed line is the truth of that same network, which the search never sees." : "";
    this.root.querySelector(".caption").textContent = `${steps}; feasible candidates only. Horizontal: ${along}.${truth}`;
  }

  /** Only the steps are drawn: `[x, score, row]` at each improvement. */
  prepare() {
    const { columns } = this.store;
    this.seconds = this.state.get("along") === "seconds";
    this.steps = [];
    let best = -Infinity;
    let position = 0;
    for (const row of this.store.scored()) {
      position += this.seconds ? (columns.seconds[row] ?? 0) : 1;
      if (!columns.feasible[row] || columns.score[row] <= best) continue;
      best = columns.score[row];
      this.steps.push([position, best, row]);
    }
    this.end = position;
    this.truth = this.store.has("truth");
  }

  option(c) {
    if (!this.steps) return {};
    if (!this.steps.length) return nothing(c, "The first feasible score appears here.");
    const last = this.steps.at(-1);
    const stretched = (values) => (last && this.end > last[0] ? [...values, [this.end, values.at(-1)[1], last[2]]] : values);
    const line = { type: "line", step: "end", symbol: "circle", symbolSize: 6, showAllSymbol: false };
    const series = [
      { ...line, name: "Best score", data: stretched(this.steps), lineStyle: { color: c.blue, width: 2 }, itemStyle: { color: c.blue }, areaStyle: { color: c.blue, opacity: 0.07, origin: "start" } },
    ];
    if (this.truth && last) {
      const truths = this.steps.map(([x, , row]) => [x, this.store.value("truth", row), row]);
      series.push({ ...line, name: "Its truth", yAxisIndex: 1, data: stretched(truths), lineStyle: { color: c.purple, width: 1.5, type: "dashed" }, itemStyle: { color: c.purple } });
    }
    const right = axis(c, "Truth", { nameGap: 44, splitLine: { show: false }, position: "right" });
    return {
      grid: { left: 62, right: this.truth ? 60 : 20, top: this.truth ? 34 : 14, bottom: 46 },
      legend: { show: this.truth, top: 0, left: 56, itemWidth: 18, textStyle: { color: c.muted, fontSize: 12 }, selectedMode: false },
      xAxis: axis(c, this.seconds ? "Charged seconds" : "Scored candidates", { min: 0, scale: false, minInterval: this.seconds ? 0 : 1 }),
      yAxis: this.truth ? [axis(c, "Best score", { nameGap: 46 }), right] : axis(c, "Best score", { nameGap: 46 }),
      dataZoom: INSIDE_ZOOM.slice(0, 1),
      tooltip: tooltip(c, { trigger: "axis", axisPointer: { lineStyle: { color: c["line-strong"] } }, formatter: (events) => this.tip(events) }),
      series,
    };
  }

  tip(events) {
    const [position, , row] = events[0].value;
    const at = (name) => this.store.value(name, row);
    const where = this.seconds ? `after ${duration(position)}` : `after ${plural(position, "candidate")}`;
    return tip(`Best ${where}`, [["Candidate", number(at("number"))], ["Score", number(at("score"), 5)], ["Truth", number(at("truth"), 5)]]);
  }
}
