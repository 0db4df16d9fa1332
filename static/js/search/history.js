/* The best score so far against evaluations or seconds, over the spread of the scores tried at that time. */
import { axis, Chart, INSIDE_ZOOM, nothing, saveMenu, tip, tooltip } from "../core/charts.js";
import { setText } from "../core/dom.js";
import { duration, number, plural } from "../core/format.js";

export class HistoryPlot {
  constructor(root, state) {
    Object.assign(this, { root, state, found: null });
    const label = "Line chart of the best feasible score so far.";
    this.chart = new Chart(root.querySelector(".chart"), (c) => this.option(c), { label });
    state.bind(root.querySelector("[name=along]"), "along", () => this.draw(true));
    saveMenu(root.querySelector("[data-save]"), this.chart, "best-so-far", () => this.csv());
  }

  show(found) {
    const first = !this.found?.steps.number.length;
    this.found = found;
    this.draw(first);
  }

  get seconds() {
    return this.state.get("along") === "seconds";
  }

  /** The rule that chooses the best network, in words, unless it is simply the score. */
  get chosen() {
    return this.found.chosen_by;
  }

  draw(fresh = false) {
    if (!this.found) return;
    this.along = this.seconds ? "seconds" : "trials";
    this.truth = this.found.steps.truth.some((value) => value !== null);
    this.chart.draw(fresh);
    const steps = plural(this.found.steps.number.length, "improvement");
    const finals = this.found.steps.final_score.some((value) => value !== null) ? ", finalists included" : "";
    const counted = this.seconds ? "seconds of the trials, summed" : "scored candidates";
    const along = `${counted} in the order of their numbers${finals}`;
    const band = this.found.spread.low.length
      ? " The band holds 80 % of the feasible scores found at that time, and the thin line is their median."
      : "";
    const truth = this.truth ? " The dashed line is the truth of the best network, which the search never sees." : "";
    const chosen = this.chosen
      ? ` The best network is chosen by ${this.chosen}. Its score, shown here, may fall when another is chosen.`
      : "";
    const caption = `${steps}; feasible candidates only.${chosen} Horizontal axis: ${along}.${band}${truth}`;
    setText(this.root.querySelector(".caption"), caption);
  }

  option(c) {
    if (!this.found) return {};
    const { steps } = this.found;
    if (!steps.number.length) return nothing(c, "No network within the limits has a score.");
    const line = { type: "line", step: "end", symbol: "circle", symbolSize: 5, showAllSymbol: false };
    const series = [
      ...this.band(c),
      {
        ...line,
        name: "Best score",
        data: this.stretched("score"),
        lineStyle: { color: c.blue, width: 2.25 },
        itemStyle: { color: c.blue },
        z: 4,
      },
    ];
    if (this.truth)
      series.push({
        ...line,
        name: "Its truth",
        yAxisIndex: 1,
        data: this.stretched("truth"),
        lineStyle: { color: c.purple, width: 1.5, type: "dashed" },
        itemStyle: { color: c.purple },
        z: 5,
      });
    const right = axis(c, "Truth", { nameGap: 44, splitLine: { show: false }, position: "right" });
    const left = axis(c, this.chosen ? "Score of the chosen network" : "Score", { nameGap: 46 });
    const tried = this.found.spread.low.length ? ["Median score"] : [];
    return {
      grid: { left: 62, right: this.truth ? 60 : 20, top: 34, bottom: 46 },
      legend: {
        top: 0,
        left: 56,
        itemWidth: 18,
        textStyle: { color: c.muted, fontSize: 12 },
        selectedMode: false,
        data: ["Best score", ...(this.truth ? ["Its truth"] : []), ...tried],
      },
      xAxis: axis(c, this.seconds ? "Charged seconds" : "Scored candidates", {
        min: 0,
        max: this.found[this.along] || 1,
        scale: false,
        minInterval: this.seconds ? 0 : 1,
      }),
      yAxis: this.truth ? [left, right] : left,
      dataZoom: INSIDE_ZOOM.slice(0, 1),
      tooltip: tooltip(c, {
        trigger: "axis",
        axisPointer: { lineStyle: { color: c["line-strong"] } },
        formatter: (events) => this.tip(events),
      }),
      series,
    };
  }

  /** The improvements as `[x, value, which]`; the last one is held until now. */
  stretched(name) {
    const { steps } = this.found;
    const points = steps[this.along].map((x, at) => [x, steps[name][at], at]);
    const last = points.at(-1);
    return [...points, [this.found[this.along], last[1], last[2]]];
  }

  band(c) {
    const { spread } = this.found;
    const at = spread[this.along];
    if (!at.length) return [];
    const shape = {
      type: "line",
      symbol: "none",
      stack: "spread",
      stackStrategy: "all",
      lineStyle: { opacity: 0 },
      silent: true,
      tooltip: { show: false },
      z: 1,
    };
    return [
      { ...shape, name: "low", data: at.map((x, i) => [x, spread.low[i]]) },
      {
        ...shape,
        name: "high",
        data: at.map((x, i) => [x, spread.high[i] - spread.low[i]]),
        areaStyle: { color: c.blue, opacity: 0.13 },
      },
      {
        type: "line",
        name: "Median score",
        symbol: "none",
        data: at.map((x, i) => [x, spread.middle[i]]),
        lineStyle: { color: c.grey, width: 1.25 },
        itemStyle: { color: c.grey },
        silent: true,
        z: 2,
      },
    ];
  }

  tip(events) {
    const best =
      events.find((event) => event.seriesName === "Best score") ??
      events.find((event) => event.seriesName === "Its truth");
    if (!best) return "";
    const [, , which] = best.value;
    const { steps } = this.found;
    const x = steps[this.along][which];
    const where = this.seconds ? `after ${duration(x)}` : `after ${plural(x, "candidate")}`;
    return tip(`Best ${where}`, [
      ["Candidate", number(steps.number[which])],
      ["Score", number(steps.score[which], 5)],
      ...this.decided(which),
      ["Truth", number(steps.truth[which], 5)],
    ]);
  }

  decided(which) {
    const final = this.found.steps.final_score[which];
    return [
      ...(final === null ? [] : [["Final score", number(final, 5)]]),
      ...(this.chosen ? [["Chosen by", final === null ? this.chosen.split(", then")[0] : "final score"]] : []),
    ];
  }

  csv() {
    const { steps } = this.found;
    const names = ["trials", "seconds", "number", "score", "final_score", "truth"];
    return [names, ...steps.number.map((_, at) => names.map((name) => steps[name][at]))];
  }
}
