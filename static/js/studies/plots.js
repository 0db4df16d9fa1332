/* The plots of a study: tau with its interval, scores against the truth, agreement, and groups of networks. */
import { axis, INSIDE_ZOOM, nothing, tip, tooltip } from "../core/charts.js";
import { number } from "../core/format.js";
import { VIRIDIS } from "../core/theme.js";
import { categories, Plot, short, zero } from "./plot.js";

/** The name of a baseline on plots and in tables, where arms may have the same label. */
export const baselineName = ({ label }) => `Baseline: ${label.toLowerCase()}`;

export class TausPlot extends Plot {
  constructor(root) {
    super(
      root,
      "tau",
      "Kendall's tau of each estimate and baseline with the truth and its interval; the table below holds the same " +
        "numbers.",
    );
  }

  get ranked() {
    const { estimates, baselines } = this.results;
    const counts = baselines.map((row) => ({ ...row, name: baselineName(row), baseline: true }));
    return [...estimates, ...counts].filter(({ tau }) => tau).sort((a, b) => b.tau.value - a.tau.value);
  }

  height() {
    return this.ranked.length;
  }

  caption() {
    const { resamples, resampled, networks } = this.results;
    const scaled = resampled < networks ? ` of ${number(resampled)} networks, scaled to all of them` : "";
    return (
      "Kendall's tau on the networks with known truth, best estimate first. Whiskers are 95% intervals from " +
      `${resamples} bootstrap resamples${scaled}. 1 means the same order, and 0 (the line) no relation. ` +
      "Orange bars are baselines, which rank the same networks by a count."
    );
  }

  option(c) {
    const rows = this.ranked;
    if (!rows.length) return nothing(c, "Three networks with a score and a known truth are needed.");
    const whisker = (params, apiOf) => {
      const line = (x0, y0, x1, y1) => ({
        type: "line",
        shape: { x1: x0, y1: y0, x2: x1, y2: y1 },
        style: { stroke: c.text, lineWidth: 1.5 },
      });
      const [left, y] = apiOf.coord([apiOf.value(1), apiOf.value(0)]);
      const [right] = apiOf.coord([apiOf.value(2), apiOf.value(0)]);
      return {
        type: "group",
        children: [line(left, y, right, y), line(left, y - 4, left, y + 4), line(right, y - 4, right, y + 4)],
      };
    };
    return {
      grid: { left: 176, right: 24, top: 12, bottom: 46 },
      xAxis: axis(c, "Kendall's tau", { scale: false, max: 1 }),
      yAxis: categories(
        c,
        rows.map(({ name }) => name),
      ),
      tooltip: tooltip(c, { trigger: "item", formatter: ({ dataIndex }) => this.tip(rows[dataIndex]) }),
      series: [
        {
          type: "bar",
          data: rows.map(({ tau, baseline }) => ({
            value: tau.value,
            itemStyle: { color: baseline ? c.orange : c.blue },
          })),
          barMaxWidth: 16,
          itemStyle: { opacity: 0.75, borderRadius: [0, 3, 3, 0] },
          markLine: zero(c),
        },
        {
          type: "custom",
          renderItem: whisker,
          encode: { x: [1, 2], y: 0 },
          data: rows.map(({ tau }, place) => [place, tau.low, tau.high]),
          z: 5,
          silent: true,
        },
      ],
    };
  }

  tip({ name, tau, spearman, tau_best_tenth: tenth, ndcg_top: top }) {
    return tip(name, [
      ["Kendall's tau", number(tau.value, 3)],
      ["95% interval", `${number(tau.low, 3)} to ${number(tau.high, 3)}`],
      ["Spearman's rho", number(spearman, 3)],
      ["Tau, best tenth", number(tenth, 3)],
      ["nDCG, top tenth", number(top, 3)],
      ["Networks", number(tau.count)],
    ]);
  }

  rows() {
    return [
      ["estimate", "tau", "low", "high", "networks"],
      ...this.ranked.map(({ name, tau }) => [name, tau.value, tau.low, tau.high, tau.count]),
    ];
  }
}

export class ScatterPlot extends Plot {
  constructor(root) {
    super(root, "score-against-truth", "Scatter plot of the chosen estimate's scores against the truth.");
  }

  get pairs() {
    const { truth, scores, arch } = this.results.points;
    const column = scores[this.chosen] ?? [];
    return column
      .map((score, place) => [score, truth?.[place] ?? null, place])
      .filter(([score, value]) => score !== null && value !== null)
      .map((pair) => [...pair, arch[pair[2]]]);
  }

  caption() {
    return (
      `${number(this.pairs.length)} networks, all drawn. ` +
      "Points along a rising line mean that the estimate ranks better networks higher."
    );
  }

  option(c) {
    const data = this.pairs;
    if (!data.length) return nothing(c, "The first network with a score and a truth appears here.");
    return {
      grid: { left: 64, right: 20, top: 14, bottom: 46 },
      xAxis: axis(c, "Score (higher is better)"),
      yAxis: axis(c, "Truth", { nameGap: 44 }),
      dataZoom: INSIDE_ZOOM,
      tooltip: tooltip(c, {
        trigger: "item",
        formatter: ({ value }) =>
          tip(
            "Network",
            [
              ["Score", number(value[0], 5)],
              ["Truth", number(value[1], 5)],
            ],
            value[3],
          ),
      }),
      series: [{ type: "scatter", data, symbolSize: 8, itemStyle: { color: c.blue, opacity: 0.6 } }],
    };
  }

  rows() {
    return [["arch", "score", "truth"], ...this.pairs.map(([score, truth, , arch]) => [arch, score, truth])];
  }
}

export class AgreementPlot extends Plot {
  constructor(root) {
    super(root, "agreement", "Kendall's tau between every two estimates, as a matrix.");
  }

  height() {
    return this.results.agreement.names.length;
  }

  caption() {
    return (
      "Kendall's tau of every pair on the networks that both have scored. " +
      "If the seeds of one estimate agree little, its ranking depends on luck."
    );
  }

  option(c) {
    const { names, tau } = this.results.agreement;
    if (names.length < 2) return nothing(c, "Agreement needs at least two estimates.");
    const data = tau.flatMap((row, y) => row.map((value, x) => [x, y, value]));
    return {
      grid: { left: 176, right: 20, top: 12, bottom: 118 },
      xAxis: {
        ...categories(c, names),
        inverse: false,
        axisLabel: { color: c.muted, fontSize: 11, rotate: 40, formatter: short },
      },
      yAxis: categories(c, names),
      visualMap: { min: -1, max: 1, show: false, inRange: { color: VIRIDIS } },
      tooltip: tooltip(c, {
        trigger: "item",
        formatter: ({ value }) =>
          tip(`${names[value[1]]} / ${names[value[0]]}`, [["Kendall's tau", number(value[2], 3)]]),
      }),
      series: [
        {
          type: "heatmap",
          data: data.map(([x, y, value]) => [x, y, value ?? "-"]),
          label: { show: names.length <= 8, formatter: ({ value }) => number(value[2], 2) },
          itemStyle: { borderColor: c.surface, borderWidth: 1 },
        },
      ],
    };
  }

  rows() {
    const { names, tau } = this.results.agreement;
    return [["", ...names], ...tau.map((row, place) => [names[place], ...row])];
  }
}

export class GroupsPlot extends Plot {
  constructor(root) {
    super(
      root,
      "with-and-without",
      "Tau of the chosen estimate among networks with an operation and among those without.",
    );
  }

  get pairs() {
    const name = this.results.estimates[this.chosen]?.name;
    return this.results.groups.map((group) => ({
      ...group,
      ...group.estimates.find((row) => row.name === name),
      part: group.part,
      counts: [group.with, group.without],
    }));
  }

  height() {
    return this.results.groups.length * 1.3;
  }

  caption() {
    return (
      "Kendall's tau between the estimate chosen above and the truth, among networks with the operation " +
      "and among networks without it. Each group has at least eight networks."
    );
  }

  option(c) {
    const rows = this.pairs;
    if (!rows.length)
      return nothing(c, "No operation divides the networks into two groups of at least eight with known truth.");
    const bar = (side, name, colour) => ({
      name,
      type: "bar",
      data: rows.map((row) => row[side]),
      barMaxWidth: 12,
      itemStyle: { color: colour, borderRadius: [0, 3, 3, 0] },
    });
    return {
      grid: { left: 176, right: 24, top: 36, bottom: 46 },
      legend: { top: 4, textStyle: { color: c.muted, fontSize: 12 } },
      xAxis: axis(c, "Kendall's tau", { scale: false, max: 1 }),
      yAxis: categories(
        c,
        rows.map(({ part }) => part),
      ),
      tooltip: tooltip(c, {
        trigger: "item",
        formatter: ({ dataIndex, seriesName, value }) =>
          tip(`${rows[dataIndex].part}: ${seriesName}`, [
            ["Kendall's tau", number(value, 3)],
            ["Networks", number(rows[dataIndex].counts[seriesName === "with" ? 0 : 1])],
          ]),
      }),
      series: [{ ...bar("with", "with", c.blue), markLine: zero(c) }, bar("without", "without", c.orange)],
    };
  }

  rows() {
    return [
      ["operation", "tau with", "networks with", "tau without", "networks without"],
      ...this.pairs.map((row) => [row.part, row.with, row.counts[0], row.without, row.counts[1]]),
    ];
  }
}
