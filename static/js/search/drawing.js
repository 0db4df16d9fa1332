/* How the Pareto plot is drawn: counts where candidates are dense, single candidates, the front, lines and areas. */
import { axis, nothing, tooltip } from "../core/charts.js";
import { optimumOf } from "../core/format.js";
import { isScore, metricOf } from "../core/metrics.js";
import { densitySeries, picture } from "./density.js";

const LARGE = 300; // points; ECharts draws more than that in one stroke

/** The type of an axis. A logarithmic axis gets a handful of labels even if it spans less than a power of ten. */
function kind(log, low, high) {
  const decades = Math.log10(high / low);
  return log ? { type: "log", logBase: decades >= 1.5 ? 10 : 10 ** (decades / 5) } : { type: "value" };
}

/** The option of ECharts for what a ParetoPlot found, in the colours `c`. */
export function drawing(plot, c) {
  if (!plot.found) return {};
  const { header } = plot.found;
  const refusedToo = plot.state.get("infeasible") === "1";
  if (!header.feasible && !(refusedToo && header.infeasible)) {
    return nothing(
      c,
      header.infeasible
        ? "No scored network meets every limit yet; “Infeasible” shows the others."
        : "No network has a score yet.",
    );
  }
  const { view, log } = plot.axes();
  const [x0, x1, y0, y1] = view;
  return {
    grid: { left: 62, right: 20, top: 34, bottom: 46 },
    legend: {
      top: 0,
      left: 56,
      icon: "circle",
      itemWidth: 9,
      itemHeight: 9,
      textStyle: { color: c.muted, fontSize: 12 },
      inactiveColor: c.grey,
      selectedMode: false,
      data: legend(plot, refusedToo),
    },
    xAxis: axis(c, metricOf(plot.metric).title, { ...kind(log[0], x0, x1), min: x0, max: x1 }),
    yAxis: axis(c, metricOf(plot.value).title, { ...kind(log[1], y0, y1), nameGap: 46, min: y0, max: y1 }),
    tooltip: tooltip(c, { trigger: "item", formatter: (event, ticket, later) => plot.tips.show(event, ticket, later) }),
    series: [...dense(plot, c, refusedToo), ...single(plot, c, refusedToo), ...frontSeries(plot, c)],
  };
}

function legend(plot, refusedToo) {
  return [
    "Feasible",
    ...(refusedToo ? ["Infeasible"] : []),
    "Pareto front",
    ...(plot.found.header.ties ? ["Near tie"] : []),
  ];
}

function dense(plot, c, refusedToo) {
  const kinds = [
    ["cell", "Feasible, counted", c.blue],
    ...(refusedToo ? [["refused", "Infeasible, counted", c.grey]] : []),
  ];
  return kinds
    .filter(([part]) => plot.found[`${part}_index`].length)
    .map(([part, name, colour]) => {
      const { [`${part}_index`]: index, [`${part}_count`]: counts } = plot.found;
      plot.canvases[part] = picture(plot.found.header.cells, index, counts, colour, plot.canvases[part]);
      return densitySeries(name, plot.canvases[part], plot.found.header.view);
    });
}

function single(plot, c, refusedToo) {
  const { point_feasible: feasible } = plot.found;
  const points = {
    type: "scatter",
    symbolSize: 6,
    cursor: "pointer",
    clip: true,
    z: 2,
    large: true,
    largeThreshold: LARGE,
  };
  const marks = { markLine: lines(plot, c), markArea: areas(plot, c) };
  const series = [
    {
      ...points,
      name: "Feasible",
      data: plot.rows("point", (at) => feasible[at]),
      itemStyle: { color: c.blue, opacity: 0.62 },
      ...marks,
    },
  ];
  if (refusedToo)
    series.unshift({
      ...points,
      name: "Infeasible",
      symbol: "emptyTriangle",
      data: plot.rows("point", (at) => !feasible[at]),
      itemStyle: { color: c.grey, opacity: 0.8 },
    });
  return series;
}

function frontSeries(plot, c) {
  const data = plot.rows("front");
  const { front_tie: ties } = plot.found;
  const many = data.length > 60;
  const line = {
    name: "Pareto front",
    type: "line",
    step: isScore(plot.metric) ? "start" : "end",
    data,
    symbol: "circle",
    symbolSize: many ? 6 : 9,
    showAllSymbol: true,
    clip: true,
    lineStyle: { color: c.orange, width: 2 },
    itemStyle: { color: c.orange, borderColor: c.surface, borderWidth: many ? 0.75 : 1.5 },
    z: 5,
    cursor: "pointer",
  };
  const tied = data.filter((_, at) => ties[at]);
  const hollow = {
    name: "Near tie",
    type: "scatter",
    data: tied,
    symbol: "circle",
    symbolSize: many ? 6 : 9,
    itemStyle: { color: c.surface, borderColor: c.orange, borderWidth: 1.75 },
    z: 6,
    clip: true,
    cursor: "pointer",
  };
  return tied.length ? [line, hollow] : [line];
}

function lines(plot, c) {
  const data = [];
  const label = (text) => ({ formatter: text, color: c.muted, fontSize: 11 });
  const optimum = plot.search?.table_optimum;
  if (plot.value === "truth" && optimum) {
    data.push({
      yAxis: optimum.truth,
      label: { ...label(optimumOf(optimum)), position: "insideStartTop" },
      lineStyle: { color: c.purple, type: "dashed" },
    });
  }
  if (plot.budget?.metric === plot.metric && plot.budget.cost !== null) {
    data.push({
      xAxis: plot.budget.cost,
      label: { ...label("budget"), position: "insideEndTop", rotate: 0 },
      lineStyle: { color: c.green, type: "solid", width: 1.5 },
    });
  }
  return { silent: true, symbol: "none", data };
}

/** The objective's target range, if the plot has its axis, and the user's rectangle. */
function areas(plot, c) {
  const data = [];
  const { cost_metric: metric, lo, hi } = plot.search?.config?.objective ?? {};
  const { view } = plot.axes();
  if (metric === plot.metric && (lo ?? hi ?? null) !== null) {
    data.push([{ xAxis: lo ?? view[0], itemStyle: { color: c.green, opacity: 0.07 } }, { xAxis: hi ?? view[1] }]);
  }
  if (plot.selection) {
    const [x0, x1, y0, y1] = plot.selection;
    data.push([
      { coord: [x0, y0], itemStyle: { color: c.accent, opacity: 0.12, borderColor: c.accent, borderWidth: 1 } },
      { coord: [x1, y1] },
    ]);
  }
  return { silent: true, data };
}
