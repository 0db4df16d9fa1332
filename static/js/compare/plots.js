/* The three plots of a comparison: the fronts, and the growth of hypervolume and best score. */
import { axis, Chart, INSIDE_ZOOM, nothing, saveMenu, tip, tooltip } from "../core/charts.js";
import { duration, measure, number, plural } from "../core/format.js";
import { metricOf } from "../core/metrics.js";
import { at } from "../core/paths.js";

const GRID = { left: 66, right: 20, top: 40, bottom: 46 };

class Plot {
  constructor(root, name, label) {
    this.root = root;
    this.name = name;
    this.chart = new Chart(root.querySelector(".chart"), (c) => this.option(c), { label });
    saveMenu(root.querySelector("[data-saves]"), this.chart, name, () => this.rows());
  }

  show(data, choices) {
    this.data = data;
    this.choices = choices;
    this.root.querySelector(".caption").textContent = this.caption();
    this.chart.draw(true);
  }

  legend(c) {
    return {
      type: "scroll",
      top: 4,
      left: 12,
      right: 12,
      itemWidth: 22,
      textStyle: { color: c.muted, fontSize: 12 },
      pageTextStyle: { color: c.muted },
      pageIconColor: c.muted,
    };
  }
}

export class FrontsPlot extends Plot {
  constructor(root) {
    super(
      root,
      "fronts",
      "Pareto fronts of the compared searches in one plot; the table below lists their best networks.",
    );
    this.chart.on("click", (event) => event.data?.id && location.assign(at(event.data.address)));
  }

  caption() {
    const sizes = this.data.lines.map(({ search }) => search.front.length);
    const repeated = this.data.groups.length
      ? " Of repeated searches, the front of the first seed is drawn boldly and the others faintly."
      : "";
    return `${plural(
      sizes.reduce((sum, size) => sum + size, 0),
      "network",
    )} on the fronts; feasible networks only, higher scores are better.${repeated} Click a network to open it.`;
  }

  option(c) {
    if (!this.data) return {};
    const log = this.choices.get("logx") === "1";
    const { metric } = this.data;
    const drawn = [];
    for (const { label, search, group, look } of this.data.lines) {
      const members = group ? this.data.searches.filter(({ id }) => group.searches.includes(id)) : [search];
      for (const member of members) drawn.push({ label, member, look, faint: member.id !== search.id });
    }
    if (!drawn.some(({ member }) => member.front.length)) return nothing(c, "No feasible network has this cost yet.");
    const series = drawn.map(({ label, member, look, faint }) => ({
      name: label,
      type: "line",
      step: "end",
      symbol: look.symbol,
      symbolSize: faint ? 4 : 8,
      showAllSymbol: true,
      cursor: "pointer",
      data: member.front
        .filter((point) => !log || point.cost > 0)
        .map((point) => ({
          value: [point.cost, point.score],
          id: point.id,
          address: member.candidates + point.id + "/",
        })),
      lineStyle: { color: c[look.colour], width: faint ? 1 : 2, type: look.dash, opacity: faint ? 0.45 : 1 },
      itemStyle: { color: c[look.colour], opacity: faint ? 0.45 : 1 },
    }));
    return {
      grid: GRID,
      legend: this.legend(c),
      xAxis: axis(c, metricOf(metric).title, { type: log ? "log" : "value" }),
      yAxis: axis(c, "Score (higher is better)", { nameGap: 48 }),
      dataZoom: INSIDE_ZOOM,
      tooltip: tooltip(c, {
        trigger: "item",
        formatter: ({ seriesName, value }) =>
          tip(seriesName, [
            ["Score", number(value[1], 5)],
            [metricOf(metric).label, measure(value[0], metric)],
          ]),
      }),
      series,
    };
  }

  rows() {
    return [
      ["search", "candidate", this.data.metric, "score"],
      ...this.data.searches.flatMap((search) =>
        search.front.map((point) => [search.id, point.id, point.cost, point.score]),
      ),
    ];
  }
}

/** Step curves along evaluations or seconds: one for each search, or the mean and the spread of repeated searches. */
class GrowthPlot extends Plot {
  get along() {
    return this.choices.get("along");
  }

  option(c) {
    if (!this.data) return {};
    const series = this.data.lines.flatMap((line) => this.series(c, line));
    if (!series.some(({ data }) => data.length)) return nothing(c, this.empty);
    const x = this.along === "seconds" ? "Charged seconds" : "Scored candidates";
    return {
      grid: GRID,
      legend: { ...this.legend(c), data: this.data.lines.map(({ label }) => label) },
      xAxis: axis(c, x, { min: 0, scale: false }),
      yAxis: axis(c, this.axis, { nameGap: 48 }),
      dataZoom: INSIDE_ZOOM.slice(0, 1),
      tooltip: tooltip(c, {
        trigger: "item",
        formatter: ({ seriesName, value }) =>
          tip(seriesName, [
            [this.axis, number(value[1], 5)],
            [x, this.along === "seconds" ? duration(value[0]) : number(value[0])],
          ]),
      }),
      series,
    };
  }

  series(c, { label, search, group, look }) {
    const style = {
      lineStyle: { color: c[look.colour], width: 2, type: look.dash },
      itemStyle: { color: c[look.colour] },
    };
    const line = {
      name: label,
      type: "line",
      step: "end",
      symbol: "circle",
      symbolSize: 5,
      showSymbol: false,
      ...style,
    };
    const spread = group && this.spread(group);
    if (!spread?.x.length) {
      const steps = this.curve(search);
      const end = search[this.along];
      const last = steps.at(-1);
      return [
        { ...line, data: last && end > last[0] ? [...steps, [end, last[1]]] : steps, showSymbol: steps.length < 60 },
      ];
    }
    const at = (values) => spread.x.map((x, place) => [x, values[place]]);
    const band = {
      type: "line",
      step: "end",
      symbol: "none",
      silent: true,
      lineStyle: { opacity: 0 },
      tooltip: { show: false },
      stack: `${this.name} ${label}`,
      stackStrategy: "all",
    };
    const heights = spread.high.map((high, place) => high - spread.low[place]);
    return [
      { ...line, data: at(spread.mean) },
      { ...band, name: `${label}: least`, data: at(spread.low) },
      { ...band, name: `${label}: largest`, data: at(heights), areaStyle: { color: c[look.colour], opacity: 0.16 } },
    ];
  }

  words() {
    const along =
      this.along === "seconds" ? "seconds of the trials, summed in the order of their numbers" : "scored candidates";
    const spread = this.data.groups.length
      ? " Lines of repeated searches are means over the seeds; bands span the lowest to the highest value."
      : "";
    return `Horizontal axis: ${along}.${spread}`;
  }

  rows() {
    return [
      ["search", this.along, this.axis],
      ...this.data.searches.flatMap((search) => this.curve(search).map((step) => [search.id, ...step])),
    ];
  }
}

export class VolumesPlot extends GrowthPlot {
  axis = "Hypervolume";

  empty = "No feasible network yet.";

  constructor(root) {
    super(root, "hypervolume", "Hypervolume of each search's front as it grew.");
  }

  curve(search) {
    const column = this.along === "seconds" ? 1 : 0;
    return search.volumes.map((step) => [step[column], step[2]]);
  }

  spread(group) {
    return group.curves[this.along].hypervolume;
  }

  caption() {
    const { reference, metric } = this.data;
    if (!reference) return this.words();
    return (
      `Area between the front and a point that all searches share: ${metricOf(metric).label.toLowerCase()} ` +
      `${measure(reference.cost, metric)}, score ${number(reference.score)}. ` +
      `The point lies a tenth of the fronts' spans beyond their worst values. ${this.words()}`
    );
  }
}

export class BestPlot extends GrowthPlot {
  axis = "Best score";

  empty = "No feasible network yet.";

  constructor(root) {
    super(root, "best-so-far", "Best score of each search so far.");
  }

  get truth() {
    return this.choices.get("value") === "truth";
  }

  curve(search) {
    const column = this.along === "seconds" ? 1 : 0;
    const value = this.truth ? 3 : 2;
    return search.steps.filter((step) => step[value] !== null).map((step) => [step[column], step[value]]);
  }

  spread(group) {
    return this.truth ? null : group.curves[this.along].score;
  }

  caption() {
    const rules = [...new Set(this.data.searches.map((search) => search.chosen_by).filter(Boolean))];
    const plain = rules.length ? "Score of the chosen network" : "Best score";
    this.axis = this.truth ? "Truth of the chosen network" : plain;
    const truth = this.truth
      ? "The truth of the best network so far, which no search has seen. Repeated searches show only the first seed. "
      : "";
    const chosen = rules.length
      ? `The best network so far is the one that each search chose (${rules.join("; ")}); the plot shows its score. `
      : "";
    return `${truth}${chosen}${this.words()}`;
  }
}
