/* What the plots of a study share: a chart with its caption and menu, and parts of its option. */
import { Chart, saveMenu } from "../core/charts.js";

const LONGEST = 26;
/** A name cut to a length that fits beside an axis. */
export const short = (name) => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);

export class Plot {
  constructor(root, name, label) {
    this.root = root;
    this.element = root.querySelector(".chart");
    this.chart = new Chart(this.element, (c) => (this.results ? this.option(c) : {}), { label });
    saveMenu(root.querySelector("[data-saves]"), this.chart, name, () => this.rows());
  }

  show(results, chosen) {
    this.results = results;
    this.chosen = chosen;
    const rows = this.height();
    if (rows) this.element.style.height = `${Math.max(220, 90 + rows * 30)}px`;
    this.chart.echarts.resize();
    this.root.querySelector(".caption").textContent = this.caption();
    this.chart.draw(true);
  }

  height() {
    return 0;
  }
}

export function categories(c, names) {
  return {
    type: "category",
    data: names,
    inverse: true,
    axisLabel: { color: c.muted, fontSize: 11, formatter: short },
    axisTick: { show: false },
    axisLine: { onZero: false, lineStyle: { color: c["line-strong"] } },
  };
}

/** The line of no correlation, in a series of bars. */
export function zero(c) {
  return {
    silent: true,
    symbol: "none",
    label: { show: false },
    lineStyle: { color: c.text, type: "solid", width: 1.5 },
    data: [{ xAxis: 0 }],
  };
}
